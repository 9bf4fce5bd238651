"""A simulated training of many ranks that are lost: what is read, and how long it takes.

python benchmarks/many_ranks.py [--ranks 1000] [--samples 1000000] [--rows 65536] [--epochs 3] [--trials 20]

Nothing is computed but which samples each rank reads, by the sampler of the product. A rank is lost after a
time that is exponentially distributed; then all go on from the last checkpoint, after some time, without it
until the next loss (--shrink) or with a new one. Checked: the steps that count are all there and once; in
every epoch of them each sample is read once, whatever the number of ranks was. Times are in steps, beside the
expected one of Daly 2006 (doi 10.1016/j.future.2004.11.016, eq. 13),

    M e^(R / M) (e^((τ + δ) / M) - 1) T / τ

with T steps of work, a checkpoint of δ steps every τ of work, R steps until work goes on, and M the mean time
between losses; its τ* ≈ √(2 δ M) - δ (Young 1974) is marked.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean

import numpy as np
import torch

from modaloom.core.distributed import SingleProcess
from modaloom.training.batch_sampler import BatchSampler


class Rank(SingleProcess):
    """One of many that never speak."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size


@dataclass(frozen=True)
class Plan:
    """A training of `work` steps; times are in steps.

    Args:
        work: steps of the training.
        every: steps between two checkpoints.
        checkpoint: time of one.
        restart: time from a loss until work goes on.
        between: mean time between two losses.
    """

    work: int
    every: int
    checkpoint: float
    restart: float
    between: float

    def expected(self) -> float:
        """Time of the training, by Daly's equation."""
        stretch = math.exp(self.restart / self.between)
        round_trip = math.expm1((self.every + self.checkpoint) / self.between)
        return self.between * stretch * round_trip * self.work / self.every

    def attempts(self, generator: np.random.Generator) -> Iterator[tuple[int, int, float]]:
        """(first step, steps that are saved, time) of each attempt, until all steps are saved."""
        done = 0
        while done < self.work:
            lost = generator.exponential(self.between)
            rounds = math.ceil((self.work - done) / self.every)
            whole = min(rounds, int(lost / (self.every + self.checkpoint)))
            saved = min(self.work - done, whole * self.every)
            ends = done + saved == self.work
            yield done, saved, saved + whole * self.checkpoint if ends else lost + self._restart(generator)
            done += saved

    def _restart(self, generator: np.random.Generator) -> float:
        """Time until work goes on: a loss in the meantime begins the restart anew."""
        spent = 0.0
        while (lost := generator.exponential(self.between)) < self.restart:
            spent += lost
        return spent + self.restart

    def young(self) -> float:
        """Steps between two checkpoints that cost the least, to first order."""
        return math.sqrt(2 * self.checkpoint * self.between) - self.checkpoint


def read_by(first: int, steps: int, samples: int, rows: int, ranks: int) -> torch.Tensor:
    """int64 (steps · rows,): what so many ranks read in these steps, rank by rank in every step."""
    samplers = [BatchSampler(samples, rows, 0, "loom", Rank(rank, ranks)) for rank in range(ranks)]
    return torch.cat([sampler(step) for step in range(first, first + steps) for sampler in samplers])


def partition(plan: Plan, samples: int, rows: int, ranks: int, *, shrink: bool, seed: int) -> list[int]:
    """Trains by `plan`; the ranks of every attempt that saved something. Raises if a sample is lost."""
    read, used = [torch.empty(0, dtype=torch.int64)], []
    for attempt, (first, saved, _) in enumerate(plan.attempts(np.random.default_rng(seed))):
        here = max(1, ranks - attempt) if shrink else ranks
        if saved:
            used.append(here)
            read.append(read_by(first, saved, samples, rows, here))
    for epoch in torch.cat(read).split(samples):
        counts = torch.bincount(epoch, minlength=samples)
        if (len(epoch) == samples and not bool((counts == 1).all())) or bool((counts > 1).any()):
            raise AssertionError("a sample was read twice or not at all in an epoch")
    return used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--ranks", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=65_536)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--trials", type=int, default=20)
    args = parser.parse_args()
    steps = math.ceil(args.epochs * args.samples / args.rows)
    small = Plan(work=steps, every=5, checkpoint=0.2, restart=1, between=steps / 4)
    for shrink in (False, True):
        used = partition(small, args.samples, args.rows, args.ranks, shrink=shrink, seed=0)
        print(
            f"{args.samples:,} samples, {steps} steps of {args.rows:,}, ranks of the attempts {used}: every "
            f"sample once in each of {steps * args.rows // args.samples} epochs"
        )
    print("\n| steps between checkpoints | simulated time / work | Daly | |\n|---:|---:|---:|---|")
    long = Plan(work=100_000, every=1, checkpoint=20, restart=100, between=5_000)
    best = round(long.young())
    for every in sorted({50, 100, 200, best, 1_000, 2_000, 5_000}):
        plan = Plan(long.work, every, long.checkpoint, long.restart, long.between)
        times = [
            sum(time for *_, time in plan.attempts(np.random.default_rng(seed)))
            for seed in range(args.trials)
        ]
        mark = "√(2 δ M) - δ" if every == best else ""
        print(f"| {every:,} | {mean(times) / plan.work:.3f} | {plan.expected() / plan.work:.3f} | {mark} |")


if __name__ == "__main__":
    main()
