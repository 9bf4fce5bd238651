"""The Restorer step by step: frames and previews, where the clean signal's estimate is a closed form."""

from itertools import islice

import pytest
import torch
from test_restorer import DEVIATION, PROCESS, SLOPE, Exact, drawn, singles
from test_restorer_mean_flow import DEVIATION as DEVIATIONS
from test_restorer_mean_flow import Exact as ExactAverage
from test_restorer_mean_flow import pairs
from test_restorer_mean_flow import restorer as flowing
from torch import nn

from modaloom.core.errors import BadValue
from modaloom.core.frame import finished
from modaloom.diffusion.noise import CounterNoise
from modaloom.diffusion.prediction import PREDICTIONS
from modaloom.diffusion.samplers.continuous import SIGNAL_SAMPLERS
from modaloom.restorer.config import SignalSamplingConfig
from modaloom.restorer.inference import run_task, stream_task
from modaloom.restorer.restorer import Restorer
from modaloom.restorer.tasks import TASKS, Signals

TIMES = torch.linspace(1, 0, 7)


@pytest.fixture(scope="module")
def pair():
    return drawn(1, side=4)


@pytest.fixture(scope="module")
def restorer(pair):
    restorer = Restorer(nn.Identity(), PROCESS, PREDICTIONS["v"], num_tasks=2)
    restorer.fit_normalizer(singles(drawn(2000)))
    restorer.network = Exact(restorer, pair.task_index)
    return restorer


@pytest.fixture(scope="module")
def noise(pair):
    return torch.randn(pair.target.shape, generator=torch.Generator().manual_seed(5))


def sampler(name, seen):
    """The sampler of this name; `seen` gets its states."""

    def run(denoise, process, x, times):
        for state in SIGNAL_SAMPLERS[name].sample(denoise, process, x, times, noise=CounterNoise(3)):
            seen.append(state)
            yield state

    return run


@pytest.mark.parametrize("name", SIGNAL_SAMPLERS)
def test_every_sampler_yields_its_steps_and_the_posterior_mean_at_each(name, pair, restorer, noise):
    """E[x₀ | x_t] of normal data: the prior mean, and of the state's rest the share that is data's."""
    seen = []
    whole = restorer.sample(pair, noise, TIMES, sampler=sampler(name, []))
    mean, scale = SLOPE[0] * pair.condition, restorer.scale_K[0]
    deviation, shift = DEVIATION[0] / scale, (mean - restorer.shift_K[0]) / scale
    steps = []
    for frame in restorer.stream(pair, noise, TIMES, sampler=sampler(name, seen)):
        steps.append((frame.step, frame.total, frame.result is None))
        level = PROCESS.level(TIMES[frame.step].expand(1), pair.target)
        share = level.alpha * deviation**2 / (level.alpha**2 * deviation**2 + level.sigma**2)
        expected = mean + scale * share * (seen[-1] - level.alpha * shift)
        torch.testing.assert_close(frame.preview(), expected, rtol=1e-4, atol=1e-4)
    assert steps == [(i, 6, i < 6) for i in range(1, 7)]
    assert torch.equal(frame.result, whole)
    assert torch.equal(frame.preview(), whole)


@pytest.mark.parametrize("steps", [2, 5])
def test_mean_flow_shows_where_one_step_would_end(steps):
    """With the exact average velocity that is where all the other steps end too."""
    pair, exact = pairs(100), flowing(ExactAverage())
    noise = torch.randn(pair.target.shape, generator=torch.Generator().manual_seed(1))
    frames = [*exact.stream_mean_flow(pair, noise, torch.linspace(1, 0, steps + 1))]
    assert [frame.step for frame in frames] == [*range(1, steps + 1)]
    for frame in frames:
        torch.testing.assert_close(frame.preview(), DEVIATIONS * noise, rtol=1e-4, atol=1e-4)
    assert torch.equal(
        frames[-1].result, exact.sample_mean_flow(pair, noise, torch.linspace(1, 0, steps + 1))
    )


def test_a_walk_of_no_length_is_one_step(pair, restorer, noise):
    (frame,) = restorer.stream(pair, noise, torch.zeros(3))
    assert (frame.step, frame.total) == (1, 1)
    assert torch.equal(frame.result, pair.target)


def test_a_closed_stream_asks_the_network_no_more(pair, restorer, noise):
    calls = []

    class Spy(nn.Module):
        def forward(self, *args):
            calls.append(1)
            return restorer.network(*args)

    spied = Restorer(Spy(), PROCESS, PREDICTIONS["v"], num_tasks=2)
    frames = spied.stream(pair, noise, TIMES)
    assert not calls
    assert len([*islice(frames, 2)]) == len(calls) == 2
    frames.close()
    assert [*frames] == []
    assert len(calls) == 2
    assert torch.is_grad_enabled()


def test_a_task_is_finished_in_every_preview():
    """A finished signal lies in [0, 1]; the result is the same with and without the frames."""
    held, options = Signals(input=torch.zeros(1, 2)), TASKS["generate"].options()
    asked = (flowing(ExactAverage()), TASKS["generate"], held, options)
    sampling = SignalSamplingConfig("euler", steps=4)
    frames = [*stream_task(*asked, sampling=sampling, seed=3)]
    assert len(frames) == frames[-1].total == 4
    for frame in frames:
        assert frame.preview().shape == (1, 2)
        assert 0 <= frame.preview().min() <= frame.preview().max() <= 1
    assert torch.equal(frames[-1].result, run_task(*asked, sampling=sampling, seed=3))
    assert torch.equal(finished(frames), frames[-1].result)


def test_what_cannot_be_asked_is_refused_at_once():
    held, options = Signals(input=torch.zeros(1, 2)), TASKS["generate"].options()
    sampling = SignalSamplingConfig("euler", steps=4)
    with pytest.raises(BadValue, match="has learned no mean"):
        stream_task(flowing(ExactAverage()), TASKS["generate"], held, options, mode="mean", sampling=sampling)
