"""Correctness of code diffusion: NELBO against exact −log p(x), samplers against exact conditionals."""

from collections.abc import Iterator

import torch

from modaloom.bench.bounds import masked_bound, uniform_bound, unknown
from modaloom.bench.case import BenchmarkResult
from modaloom.bench.conditionals import EXACT, JOINTS, STEPS, distance, splits
from modaloom.bench.joint import Joint
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.schedules import SCHEDULES
from modaloom.diffusion.uniform import Uniform

MAX_NATS, MAX_TOTAL_VARIATION = 1e-6, 0.01
"""Tolerances: error of the NELBO in nats, total variation of a sampler."""


def cases(device: torch.device) -> Iterator[BenchmarkResult]:
    """Largest NELBO error over all outcomes, and largest total variation over all splits of roles.

    In float64 on the CPU for any device; nothing is timed.
    """
    joint = Joint({"x": (3, 1)}, 3, seed=1)
    clean = unknown(joint.canvas(torch.arange(len(joint.table))))
    for name, schedule in SCHEDULES.items():
        masked, uniform = Masked(schedule), Uniform(schedule)
        bounds = {
            "masked": masked_bound(joint.denoise, masked, clean),
            "uniform": uniform_bound(joint.denoiser(uniform), uniform, joint),
        }
        for process, bound in bounds.items():
            error = float((bound + joint.log_p).abs().max())
            yield BenchmarkResult(
                f"bound + log p(x), {process}, {name} schedule, V=3 L=3", error, None, MAX_NATS, "nats"
            )
    for sampler, process in EXACT:
        worst = max(
            distance(sampler, process, name, split)
            for name in JOINTS
            for split in splits(name)
            if "w" in split
        )
        steps = STEPS.get(sampler, 4)
        yield BenchmarkResult(
            f"{sampler}, {process}, {steps} steps, all splits",
            worst,
            None,
            MAX_TOTAL_VARIATION,
            "total variation",
        )
