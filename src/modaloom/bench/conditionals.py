"""How far a sampler is from the law of a small joint, with its exact denoiser."""

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
"""Of the samplers that are exact in the limit; the others need no more than one a code."""
JOINTS = {
    "streams": Joint({"a": (1, 1), "b": (1, 1), "c": (1, 1)}, 2, seed=5),
    "positions": Joint({"a": (1, 1), "b": (2, 1)}, 2, seed=6),
    "depths": Joint({"a": (1, 1), "b": (1, 2)}, 2, seed=5),
}
EXACT = [
    (name, process) for name, sampler in CODE_SAMPLERS.items() if sampler.exact for process in sampler.fns
]


def splits(joint: str) -> list[str]:
    """Such as "gw-": the first stream given, the second wanted, the third absent."""
    return ["".join(roles) for roles in itertools.product("gw-", repeat=len(JOINTS[joint].shapes))]


def distance(sampler: str, process: str, joint: str, split: str, *, steps: int | None = None) -> float:
    """Total variation between p(given, wanted) and given ~ p with wanted sampled; the rest is absent."""
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
    law = torch.zeros(8, dtype=torch.float64).index_add(0, table, exact.log_p.exp())
    return float((law - cell(done).bincount(minlength=8) / NUM_DRAWS).abs().sum() / 2)


def run_sampler(sampler: str, process: str, joint: Joint, start: Canvas, steps: int, noise: Strata) -> Canvas:
    """The end of a walk from noise."""
    kind = PROCESSES[process]()
    even = cast(Noise, noise)  # it stands in for one
    noisy = {name: f if f.known.all() else kind.prior(f, noise=even) for name, f in start.items()}
    times, run = torch.linspace(1, 0, steps + 1), CODE_SAMPLERS[sampler].fns[process]
    noise.sort(noisy)
    for now in run(joint.denoiser(kind), kind, noisy, times, noise=noise):
        noise.sort(now)
    return now
