"""D11: every walk, step by step, beside diffusers' scheduler of that name: same denoiser, same noise."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from modaloom.diffusion.flow import RectifiedFlow
from modaloom.diffusion.gaussian import VariancePreserving
from modaloom.diffusion.gaussian_process import GaussianProcess
from modaloom.diffusion.level import NoiseLevel
from modaloom.diffusion.samplers.continuous import SIGNAL_SAMPLERS
from modaloom.diffusion.samplers.continuous.timestep_spacing import karras

diffusers = pytest.importorskip("diffusers", reason="needs the extra `oracles`")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
"""NumPy's complaint of the peer's own code."""

STEPS = 12
GRID = {"num_train_timesteps": 1000, "prediction_type": "sample"}
PLAIN = GRID | {"clip_sample": False}
SDE = GRID | {"algorithm_type": "sde-dpmsolver++"}


@dataclass(frozen=True)
class Exploding(GaussianProcess):
    """x + σε, σ ≤ `most`: the frame in which those of the names Euler and Heun walk, with t ∝ σ."""

    most: float

    def at(self, t: Tensor) -> NoiseLevel:
        return NoiseLevel(torch.ones_like(t), t * self.most)

    def rate(self, t: Tensor) -> NoiseLevel:
        return NoiseLevel(torch.zeros_like(t), torch.full_like(t, self.most))

    def time(self, ratio: Tensor) -> Tensor:
        return ratio / self.most


def of_cumulative(scheduler: object) -> tuple[GaussianProcess, Tensor]:
    """Its levels ᾱ as times of a gaussian process."""
    kept = scheduler.alphas_cumprod[scheduler.timesteps].double()
    return _gaussian(((1 - kept) / kept).sqrt())


def of_ratios(scheduler: object) -> tuple[GaussianProcess, Tensor]:
    """Its levels σ/√ᾱ likewise; the last one, 0, comes from elsewhere."""
    return _gaussian(scheduler.sigmas[:-1].double())


def of_sigmas(scheduler: object) -> tuple[GaussianProcess, Tensor]:
    sigmas = scheduler.sigmas.double().unique().flip(0)
    process = Exploding(float(sigmas[0]))
    return process, process.time(sigmas)


def of_flow(scheduler: object) -> tuple[GaussianProcess, Tensor]:
    return RectifiedFlow(), scheduler.sigmas.double().unique().flip(0)


def _gaussian(ratios: Tensor) -> tuple[GaussianProcess, Tensor]:
    return VariancePreserving(), torch.cat(
        [VariancePreserving().time(ratios), torch.zeros(1, dtype=torch.float64)]
    )


CASES: dict[str, tuple[str, str, dict[str, object], Callable]] = {
    "ddpm": ("ddpm", "DDPMScheduler", PLAIN, of_cumulative),
    "ddim": ("ddim", "DDIMScheduler", PLAIN, of_cumulative),
    "dpmpp_2m": ("dpmpp_2m", "DPMSolverMultistepScheduler", GRID, of_ratios),
    "dpmpp_2m_sde": ("dpmpp_2m_sde", "DPMSolverMultistepScheduler", SDE, of_ratios),
    "euler": ("euler", "EulerDiscreteScheduler", GRID, of_sigmas),
    "heun": ("heun", "HeunDiscreteScheduler", GRID, of_sigmas),
    "euler of a flow": ("euler", "FlowMatchEulerDiscreteScheduler", {}, of_flow),
    "heun of a flow": ("heun", "FlowMatchHeunDiscreteScheduler", {}, of_flow),
}


class Drawn:
    """The normal numbers that a scheduler with a generator of the same seed draws."""

    def __init__(self, batch: int) -> None:
        self.batch, self.generator = batch, torch.Generator().manual_seed(3)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(self.batch, *shape, generator=self.generator)


def estimate(state: Tensor, t: Tensor) -> Tensor:
    """Some smooth denoiser."""
    turned = state.flip(-1) * 0.7 + state
    return torch.tanh(turned / (1 + 3 * t[:, None])) + 0.3 * t[:, None]


def theirs(scheduler: object, process: GaussianProcess, x: Tensor, times: Tensor) -> list[Tensor]:
    """The states that end a step of ours: a scheduler of two evaluations gets there at every second call."""
    chance = {"generator": torch.Generator().manual_seed(3)} if takes_noise(scheduler) else {}
    states, calls = [], len(scheduler.timesteps)
    at = times if calls == STEPS else times[(torch.arange(calls) + 1) // 2]
    for t, step in zip(at.to(x), scheduler.timesteps):
        t = t.expand(len(x))
        if hasattr(scheduler, "scale_model_input"):
            scheduler.scale_model_input(x, step)
        mean = estimate(x, t)
        output = (x - mean) / t[:, None] if isinstance(process, RectifiedFlow) else mean
        x = scheduler.step(output, step, x, return_dict=False, **chance)[0]
        states.append(x)
    return states if calls == STEPS else [*states[1::2], states[-1]]


def takes_noise(scheduler: object) -> bool:
    return type(scheduler).__name__ in ("DDPMScheduler", "DPMSolverMultistepScheduler")


@pytest.mark.parametrize("case", CASES)
def test_each_step_is_the_peer_s(case: str) -> None:
    sampler, name, options, grid = CASES[case]
    scheduler = getattr(diffusers, name)(**options)
    scheduler.set_timesteps(STEPS)
    process, times = grid(scheduler)
    assert len(times) == STEPS + 1
    x = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    x = process.level(times[:1].float(), x).sigma * x
    ours = [*SIGNAL_SAMPLERS[sampler].sample(estimate, process, x, times, noise=Drawn(len(x)))]
    for one, other in zip(ours, theirs(scheduler, process, x, times), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_every_sampler_has_its_peer() -> None:
    assert {case[0] for case in CASES.values()} == {*SIGNAL_SAMPLERS}


def test_karras_grids_are_the_peer_s() -> None:
    scheduler = diffusers.EDMEulerScheduler(sigma_min=0.002, sigma_max=80.0)
    scheduler.set_timesteps(STEPS)
    ratios = VariancePreserving().at(karras(VariancePreserving(), STEPS)).ratio
    torch.testing.assert_close(ratios.float(), scheduler.sigmas, rtol=1e-5, atol=1e-6)
