"""Every sampler with every process that it declares: complete, faithful, independent of the batch."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.core.types import MASK, Canvas, Field, Logits
from modaloom.diffusion import PROCESSES
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers import (
    AUTO,
    CODE_SAMPLERS,
    DEFAULT_SAMPLER,
    UNCONDITIONAL_SAMPLER,
    resolve_sampler,
)

PAIRS = [(sampler, process) for sampler, value in CODE_SAMPLERS.items() for process in value.fns]
SIZE = 5


def denoise(canvas: Canvas) -> Logits:
    """A stand-in whose logits depend on all that is visible in a sample, and on nothing beside it."""
    seen = sum(((field.state + 2) * field.valid[..., None]).sum((1, 2)) for field in canvas.values())
    assert isinstance(seen, Tensor)
    return {
        name: torch.sin(
            seen[:, None, None, None]
            + torch.arange(field.state[0].numel() * SIZE).view(*field.state[0].shape, SIZE)
        )
        for name, field in canvas.items()
    }


def draw(
    sampler: str, process: str, canvas: Canvas, noise: Noise, steps: int, **options: float
) -> list[Canvas]:
    times = torch.linspace(1, 0, steps + 1)
    run = CODE_SAMPLERS[sampler].fns[process]
    return list(run(denoise, PROCESSES[process](), canvas, times, noise=noise, **options))


def canvas(batch: int, process: str) -> Canvas:
    """A given stream, a wanted one of depth 3 with padding, a partly known one; no two samples alike.

    What is not known is noise.
    """
    sample = torch.arange(batch)[:, None]
    made = {}
    for name, positions, depth in [("given", 3, 2), ("wanted", 6, 3), ("partly", 4, 1)]:
        codes = (sample[..., None] + torch.arange(positions * depth).view(positions, depth)) % SIZE
        known = torch.full_like(codes, name == "given", dtype=torch.bool)
        if name == "partly":
            known[:, :2] = True
        valid = torch.ones(batch, positions, dtype=torch.bool)
        if name == "wanted":
            valid = torch.arange(positions) < 3 + sample % 4
        t = torch.full((batch,), float(name != "given"))
        field = Field(codes.masked_fill(~known, MASK), known, valid, t, SIZE)
        noisy = PROCESSES[process]().prior(field, noise=own(batch, first=1000))
        made[name] = field if name == "given" else noisy
    return made


def own(batch: int, *, first: int = 0) -> Noise:
    return Noise([torch.Generator().manual_seed(first + i) for i in range(batch)])


@pytest.mark.parametrize("steps", [1, 3, 100])
@pytest.mark.parametrize(("sampler", "process"), PAIRS)
def test_complete_and_faithful(sampler: str, process: str, steps: int) -> None:
    start = canvas(8, process)
    states = draw(sampler, process, start, own(8), steps)
    assert len(states) == steps
    for name, field in states[-1].items():
        assert ((field.state >= 0) & (field.state < SIZE))[field.valid].all()
        assert torch.equal(field.state[field.known], start[name].state[field.known])
    times = torch.linspace(1, 0, steps + 1)[1:]
    for s, before, after in zip(times, [start, *states], states, strict=False):
        for name in start:
            assert (after[name].t == (0 if name == "given" else s)).all()
            written = (before[name].state != MASK) & (process not in CODE_SAMPLERS[sampler].revises)
            assert torch.equal(before[name].state[written], after[name].state[written])
            hidden = (after[name].state == MASK).long()
            assert (hidden.diff(dim=-1) >= 0).all(), "a fine code was written before a coarser one"


@pytest.mark.parametrize(("sampler", "process"), PAIRS)
def test_same_at_any_batch_size(sampler: str, process: str) -> None:
    """Samples 2 and 3 alone are samples 2 and 3 of eight: bit for bit."""
    whole = draw(sampler, process, canvas(8, process), own(8), 5)[-1]
    part = {
        name: Field(*(getattr(field, key)[2:4] for key in ("state", "known", "valid", "t")), SIZE)
        for name, field in canvas(8, process).items()
    }
    alone = draw(sampler, process, part, own(2, first=2), 5)[-1]
    for name in whole:
        assert torch.equal(whole[name].state[2:4], alone[name].state)


@pytest.mark.parametrize(("sampler", "process"), PAIRS)
def test_seed_and_temperature(sampler: str, process: str) -> None:
    def codes(seed: int, temperature: float) -> Tensor:
        noise = own(8, first=100 * seed)
        start = canvas(8, process)
        return draw(sampler, process, start, noise, 5, temperature=temperature)[-1]["wanted"].state

    assert torch.equal(codes(0, 1.0), codes(0, 1.0))
    assert not torch.equal(codes(0, 1.0), codes(1, 1.0))
    spread = [
        float((codes(0, temperature) != codes(1, temperature)).float().mean()) for temperature in (0.01, 1e3)
    ]
    assert spread[0] < spread[1]


@pytest.mark.parametrize(("sampler", "process"), PAIRS)
def test_nothing_to_do(sampler: str, process: str) -> None:
    """A canvas that is complete comes back as it is."""
    full = {"given": canvas(2, process)["given"]}
    for now in draw(sampler, process, full, own(2), 4):
        assert torch.equal(now["given"].state, full["given"].state)


@pytest.mark.parametrize(("sampler", "process"), PAIRS)
@pytest.mark.parametrize("times", [[1.0, 0.5], [1.0], [0.5, 1.0, 0.0], [1.5, 0.0]])
def test_bad_times(sampler: str, process: str, times: list[float]) -> None:
    run, start = CODE_SAMPLERS[sampler].fns[process], canvas(2, process)
    states = run(denoise, PROCESSES[process](), start, torch.tensor(times), noise=own(2))
    with pytest.raises(BadValue, match="times"):
        next(states)


@pytest.mark.parametrize(("sampler", "process"), PAIRS)
def test_bad_temperature(sampler: str, process: str) -> None:
    with pytest.raises(BadValue, match="temperature"):
        draw(sampler, process, canvas(2, process), own(2), 2, temperature=-1.0)


@pytest.mark.parametrize(("sampler", "process"), PAIRS)
def test_a_stream_may_start_partway(sampler: str, process: str) -> None:
    """A wanted stream at t = 0.5 joins the walk there: until then none of its codes is touched."""
    start = canvas(4, process)
    start["wanted"] = replace(start["wanted"], t=torch.full((4,), 0.5))
    states = draw(sampler, process, start, own(4), 4)
    assert torch.equal(states[1]["wanted"].state, start["wanted"].state)
    assert not torch.equal(states[-1]["wanted"].state, start["wanted"].state)
    assert (states[-1]["wanted"].state[start["wanted"].valid] >= 0).all()


@pytest.mark.parametrize(("sampler", "process"), PAIRS)
def test_declares_truly_whether_it_revises(sampler: str, process: str) -> None:
    """Somewhere in a walk a written code changes exactly if the table says so."""
    start = canvas(8, process)
    states = draw(sampler, process, start, own(8), 20)
    changed = any(
        ((before[name].state != MASK) & (before[name].state != after[name].state)).any()
        for before, after in zip([start, *states], states, strict=False)
        for name in start
    )
    assert changed == (process in CODE_SAMPLERS[sampler].revises)


@pytest.mark.parametrize(("sampler", "process"), PAIRS)
def test_top_p_draws_the_likeliest_alone(sampler: str, process: str) -> None:
    """Code 1 has probability 0.6, whatever is shown: a nucleus of 0.5 holds nothing else, one of 0.7 two."""
    p = torch.tensor([0.25, 0.6, 0.15, 0.0, 0.0])
    kind = PROCESSES[process]()

    def always(canvas: Canvas) -> Logits:
        return {
            name: kind.to_posterior_logits(p.log().expand(*field.state.shape, SIZE), field)
            for name, field in canvas.items()
        }

    run, start, times = CODE_SAMPLERS[sampler].fns[process], canvas(8, process), torch.linspace(1, 0, 6)
    for top_p, expected in ((0.5, {1}), (0.7, {0, 1})):
        *_, last = run(always, kind, start, times, noise=own(8), top_p=top_p)
        field = last["wanted"]
        assert set(field.state[field.valid].flatten().tolist()) == expected


@pytest.mark.parametrize("process", PROCESSES)
def test_every_process_has_its_usual_samplers(process: str) -> None:
    for usual in (DEFAULT_SAMPLER, UNCONDITIONAL_SAMPLER):
        assert process in CODE_SAMPLERS[resolve_sampler(AUTO, process, usual)].fns


def test_a_sampler_that_does_not_fit_is_refused() -> None:
    with pytest.raises(BadValue, match=r"'maskgit' does not fit .*'uniform'; choose from: ancestral, re"):
        resolve_sampler("maskgit", "uniform")
    with pytest.raises(BadValue, match="did you mean 'ancestral'"):
        resolve_sampler("ancestal", "uniform")
