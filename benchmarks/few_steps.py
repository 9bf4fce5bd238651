"""Sampling in few steps: a Restorer with mean flow beside one without, at equal minutes, on digits.

python benchmarks/few_steps.py [--minutes 2] [--seeds 0,1,2] [--json FILE]

KID is unbiased, on the features of a classifier trained on the same half of the digits, against the other
half; its floor is the KID of random halves of real digits. Both samplers start from the same noise. The last
figure is of a third model, with the gaussian process: `dpmpp_2m` in 10 evaluations beside `heun` in 250
steps.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch
from budget import Budget, parameters
from families import distance, real
from figures import Figures, Target, arguments, medians, table
from kept import Kept
from rivals.base import batch
from rivals.subjects import Subject, digits
from sklearn.datasets import load_digits
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.diffusion import GAUSSIAN_PROCESSES
from modaloom.diffusion.prediction import PREDICTIONS
from modaloom.diffusion.samplers.continuous.dpmpp_2m import dpmpp_2m
from modaloom.diffusion.samplers.continuous.heun import heun
from modaloom.networks.conv import channels_last
from modaloom.networks.unet import UNet, UNetConfig
from modaloom.restorer.config import RestorerTrainingConfig
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.restorer import Restorer
from modaloom.training.accelerator import Accelerator
from modaloom.training.ema import EMA

SIDE = 8
MEAN_FLOW_PROB = 0.25
WARMUP_STEPS = 50
"""Warm-up steps."""
PLAIN_STEPS, MEAN_FLOW_STEPS = (1, 2, 4, 16, 64), (1, 2, 4)
"""Network evaluations per sample."""
FEW, MANY = 10, 250
NUM_COMPARED = 200
"""Samples for which the two samplers are compared."""
TARGETS = [
    *(Target(f"plain, {steps}: KID") for steps in PLAIN_STEPS),
    *(Target(f"mean flow, {steps}: KID") for steps in MEAN_FLOW_STEPS),
    Target(f"mean flow, {MEAN_FLOW_STEPS[-1]}: KID / plain, {PLAIN_STEPS[-1]}", 1.05, "≤"),
    Target("real: KID"),
    Target("plain: steps of training"),
    Target("mean flow: steps of training"),
    Target("parameters"),
    Target(f"dpmpp_2m, {FEW}: RMS from heun, {MANY}, share of the range", 0.02, "≤"),
]


def unconditional(rows: Tensor) -> ConditionalExample:
    """Rows (n, 64) as targets with an empty condition."""
    n = len(rows)
    target = rows.reshape(n, 1, SIDE, SIDE)
    return ConditionalExample(
        target, target[:, :0], rows.new_zeros(n, 1, 0), torch.zeros(n, dtype=torch.long)
    )


def restorer(mean_flow_prob: float, *, process: str = "flow", prediction: str = "velocity") -> Restorer:
    """A small U-Net, untrained."""
    network = UNet(1, UNetConfig((16, 32)), axes=2, interval_conditioned=mean_flow_prob > 0)
    return Restorer(
        network,
        GAUSSIAN_PROCESSES[process](),
        PREDICTIONS[prediction],
        mean_prob=0,
        mean_flow_prob=mean_flow_prob,
    )


def train(model: Restorer, subject: Subject, budget: Budget, *, seed: int) -> int:
    """Train with a learning rate that decays with the budget; returns the number of steps."""
    if not model.mean_flow_prob:
        channels_last(model)
    config, accelerator = RestorerTrainingConfig(), Accelerator("cpu")
    optimizers, average = accelerator.optimizer(model, config.restorer), EMA(model, config.ema_decay)
    for step, spent in enumerate(budget.shares(), 1):
        rng = generator(seed, "step", step)
        rows = unconditional(batch(subject.train, rng))
        lr_scale = min(1, step / WARMUP_STEPS) * (1 - spent)
        accelerator.step(
            model,
            optimizers,
            rows,
            lambda part, ranks, rng=rng: model.loss(part, rng, ranks),
            lr_scale=lr_scale,
            where=f"step {step}",
        )
        average.update(model, step)
    model.load_state_dict(average.tensors)
    model.eval()
    return step


def measure(
    subject: Subject, budget: Budget, *, n: int, seed: int, floor: float
) -> Iterator[tuple[str, float]]:
    """Figures of one seed. The unbiased KID may be negative; `floor` is the least distinguishable value."""
    torch.manual_seed(seed)
    plain, mean_flow_model, gaussian = (
        restorer(0),
        restorer(MEAN_FLOW_PROB),
        restorer(0, process="gaussian", prediction="v"),
    )
    yield "plain: steps of training", train(plain, subject, budget, seed=seed)
    yield "mean flow: steps of training", train(mean_flow_model, subject, budget, seed=seed)
    yield "parameters", parameters(mean_flow_model)
    noise = torch.randn(n, 1, SIDE, SIDE, generator=generator(seed, "noise"))
    examples = unconditional(torch.zeros(n, SIDE * SIDE))

    def kid(samples: Tensor) -> float:
        return distance(subject, samples.flatten(1), subject.held)

    found = {}
    for steps in PLAIN_STEPS:
        found["plain", steps] = kid(plain.sample(examples, noise, _times(steps), sampler=dpmpp_2m))
    for steps in MEAN_FLOW_STEPS:
        found["mean flow", steps] = kid(mean_flow_model.sample_mean_flow(examples, noise, _times(steps)))
    for (name, steps), value in found.items():
        yield f"{name}, {steps}: KID", value
    yield (
        f"mean flow, {MEAN_FLOW_STEPS[-1]}: KID / plain, {PLAIN_STEPS[-1]}",
        found["mean flow", MEAN_FLOW_STEPS[-1]] / max(found["plain", PLAIN_STEPS[-1]], floor),
    )
    train(gaussian, subject, budget, seed=seed)
    some, start = unconditional(torch.zeros(NUM_COMPARED, SIDE * SIDE)), noise[:NUM_COMPARED]
    few, many = (
        gaussian.sample(some, start, _times(steps), sampler=sampler)
        for sampler, steps in ((dpmpp_2m, FEW), (heun, MANY))
    )
    pixels = load_digits().data
    off = (few - many).square().mean().sqrt() * pixels.std() / (pixels.max() - pixels.min())
    yield f"dpmpp_2m, {FEW}: RMS from heun, {MANY}, share of the range", float(off)


def _times(steps: int) -> Tensor:
    return torch.linspace(1, 0, steps + 1)


def main() -> None:
    parser = arguments(__doc__)
    parser.set_defaults(json=Path("runs/few_steps.json"))
    parser.add_argument("--minutes", type=float, default=2.0, help="of every training")
    parser.add_argument("--steps", type=int, help="instead of minutes")
    parser.add_argument("--n", type=int, default=2000, help="samples that are scored")
    run(parser.parse_args())


def run(options: argparse.Namespace) -> None:
    """Train, score and print; finished seeds are kept."""
    options.json.parent.mkdir(parents=True, exist_ok=True)
    subject, budget = digits(), Budget(60 * options.minutes, options.steps)
    floor = {"real: KID": real(subject, len(subject.held) // 2)["KID"]}
    kept = Kept(options.json, {"minutes": options.minutes, "steps": options.steps, "n": options.n})
    columns: dict[str, Figures] = {
        f"seed {seed}": kept.case(
            f"seed {seed}",
            lambda: dict(measure(subject, budget, n=options.n, seed=seed, floor=floor["real: KID"])),  # noqa: B023
        )
        for seed in options.seeds
    }
    print(table(TARGETS, {**columns, "median": {**medians(columns.values()), **floor}}))


if __name__ == "__main__":
    main()
