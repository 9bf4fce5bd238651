"""Total variation between a sampler with an exact denoiser and a small known distribution."""

import itertools
from typing import cast

import torch
from torch import Tensor

from modaloom.bench.joint import Joint
from modaloom.bench.strata import Strata
from modaloom.core.types import Canvas
from modaloom.diffusion import PROCESSES
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers import CODE_SAMPLERS

NUM_DRAWS = 4096
STEPS = {"ancestral": 96, "remasking": 128}
"""Steps of the samplers that are exact in the limit; for the others one step per code is enough."""
JOINTS = {
    "streams": Joint({"a": (1, 1), "b": (1, 1), "c": (1, 1)}, 2, seed=5),
    "positions": Joint({"a": (1, 1), "b": (2, 1)}, 2, seed=6),
    "depths": Joint({"a": (1, 1), "b": (1, 2)}, 2, seed=5),
}
EXACT = [
    (name, process) for name, sampler in CODE_SAMPLERS.items() if sampler.exact for process in sampler.fns
]


def splits(joint: str) -> list[str]:
    """All assignments of roles such as "gw-": first stream given, second wanted, third absent."""
    return ["".join(roles) for roles in itertools.product("gw-", repeat=len(JOINTS[joint].shapes))]


def distance(sampler: str, process: str, joint: str, split: str, *, steps: int | None = None) -> float:
    """Total variation between p(given, wanted) and samples of wanted for given ~ p, the rest absent.

    Args:
        sampler: a name in CODE_SAMPLERS.
        process: a name in PROCESSES.
        joint: a name in JOINTS.
        split: a role per stream, see `splits`.
        steps: sampling steps; None: the default of STEPS, or 4.

    Returns:
        A distance in [0, 1].
    """
    exact = JOINTS[joint]
    roles = dict(zip(exact.shapes, split, strict=True))
    wanted = [name for name, role in roles.items() if role == "w"]
    # Rows in proportion to their probabilities, to within one each.
    rows = torch.searchsorted(exact.log_p.exp().cumsum(0), (torch.arange(NUM_DRAWS) + 0.5) / NUM_DRAWS)
    steps = steps or STEPS.get(sampler, 4)
    full, noise = exact.canvas(rows, hidden=wanted), Strata(NUM_DRAWS)
    done = {name: full[name] for name, role in roles.items() if role == "g"}
    for together in [[name] for name in wanted] if CODE_SAMPLERS[sampler].ranked else [wanted]:
        start = done | {name: full[name] for name in together}
        done = {
            n: Joint.shown(f) for n, f in run_sampler(sampler, process, exact, start, steps, noise).items()
        }

    def cell(part: Canvas) -> Tensor:
        codes = torch.cat([part[name].state.flatten(1) for name in done], 1)
        return (codes * 2 ** torch.arange(codes.shape[1])).sum(1)

    table = cell(exact.canvas(torch.arange(len(exact.table))))
    probabilities = torch.zeros(8, dtype=torch.float64).index_add(0, table, exact.log_p.exp())
    return float((probabilities - cell(done).bincount(minlength=8) / NUM_DRAWS).abs().sum() / 2)


def run_sampler(sampler: str, process: str, joint: Joint, start: Canvas, steps: int, noise: Strata) -> Canvas:
    """Sample the unknown codes from noise.

    Args:
        sampler: a name in CODE_SAMPLERS.
        process: a name in PROCESSES.
        joint: the distribution, with its exact denoiser.
        start: streams, given or unknown.
        steps: sampling steps, at least 1.
        noise: stratified random numbers.

    Returns:
        The final canvas.
    """
    kind = PROCESSES[process]()
    prior_noise = cast(Noise, noise)  # has the same methods
    noisy = {name: f if f.known.all() else kind.prior(f, noise=prior_noise) for name, f in start.items()}
    times, run = torch.linspace(1, 0, steps + 1), CODE_SAMPLERS[sampler].fns[process]
    noise.sort(noisy)
    for now in run(joint.denoiser(kind), kind, noisy, times, noise=noise):
        noise.sort(now)
    return now
