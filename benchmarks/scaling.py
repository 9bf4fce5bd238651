"""What a step costs by model, tokens and ranks: measured here at one and two ranks, computed beyond.

python benchmarks/scaling.py DATA [--steps 30] [--flops 4e14]

DATA has a stream `image`, such as `modaloom world shapes --n 1000` writes. Both cores must be quiet. Trains
the Loom over its codes with three widths, two sizes of the batch, by one and two processes of one thread,
and fits the coefficients of

    seconds = a + b · P · width + c · FLOP / ranks + d · ring

with non-negative least squares of relative errors: a, what every step has; b, the optimizer's products, of
which each rank does all (Muon's are P · width but for a factor); c, seconds a FLOP of the rows' products, 6 P
for each token and 12 · layers · width · length for its attention (Kaplan et al. 2020, arXiv 2001.08361,
table 1); d, seconds a byte of the ring all-reduce of float32 gradients, 2 (ranks - 1) / ranks · 4 P bytes
(Patarasuk & Yuan 2009, doi 10.1016/j.jpdc.2008.09.002). Nothing overlaps. Prints the largest error of a
measurement that the fit did not see, and the efficiency of more ranks: seconds of one / (ranks · seconds of
ranks) at the same batch (strong), and seconds of one / seconds of ranks with the same rows on each (weak), by
network, here and on a processor of so many FLOP a second (--flops: what it reaches, not its peak).
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from ranks import seconds
from scipy.optimize import nnls

import modaloom

WIDTHS, ROWS, RANKS = (64, 128, 256), (64, 256), (1, 2)
MANY = (1, 2, 8, 64, 1000)
NETWORKS = {"1 Gbit/s": 1.25e8, "10 Gbit/s": 1.25e9, "100 Gbit/s": 1.25e10, "400 Gbit/s": 5e10}
"""Bytes a second of a rank's link."""
LATENCY = 2e-5
"""Seconds of a message, of which a ring has 2 (ranks - 1)."""


@dataclass(frozen=True)
class Job:
    """A step: parameters and shape of the network, tokens of the whole batch, and ranks."""

    parameters: float
    width: int
    layers: int
    length: int
    rows: int
    ranks: int = 1

    @property
    def flop(self) -> float:
        """Of the products of all rows, forward and backward."""
        token = 6 * self.parameters + 12 * self.layers * self.width * self.length
        return token * self.rows * self.length

    @property
    def ring(self) -> float:
        """Bytes that each rank sends."""
        return 2 * (self.ranks - 1) / self.ranks * 4 * self.parameters

    @property
    def terms(self) -> list[float]:
        """What the coefficients of a law multiply."""
        return [1.0, self.parameters * self.width, self.flop / self.ranks, self.ring]


@dataclass(frozen=True)
class Law:
    """Seconds of a step = coefficients · terms + latencies."""

    fixed: float
    optimizer: float
    flop: float
    byte: float
    latency: float = 0.0

    @classmethod
    def fit(cls, jobs: Sequence[Job], measured: Sequence[float]) -> "Law":
        """The law of the least relative errors."""
        scale = np.asarray(measured)
        found, _ = nnls(np.array([job.terms for job in jobs]) / scale[:, None], np.ones(len(jobs)))
        return cls(*found)

    def seconds(self, job: Job) -> float:
        """Of a step of the job."""
        weights = (self.fixed, self.optimizer, self.flop, self.byte)
        return float(np.dot(weights, job.terms)) + 2 * (job.ranks - 1) * self.latency

    def strong(self, job: Job, ranks: int) -> float:
        """Efficiency of so many ranks on the same batch."""
        return self.seconds(job) / (ranks * self.seconds(replace(job, ranks=ranks)))

    def weak(self, job: Job, ranks: int) -> float:
        """Efficiency of so many ranks if each has the rows of the job."""
        return self.seconds(job) / self.seconds(replace(job, ranks=ranks, rows=ranks * job.rows))

    def at(self, flops: float) -> "Law":
        """On a processor of so many FLOP a second whose other work is as much faster."""
        faster = flops * self.flop
        return replace(self, optimizer=self.optimizer / faster, flop=1 / flops)


BASE = Job(parameters=1e8, width=768, layers=12, length=512, rows=64)
"""A Loom of the size of the smallest GPT-2."""


def unseen_error(jobs: Sequence[Job], measured: Sequence[float]) -> float:
    """The largest relative error of a measurement by the law of all others."""

    def error(left: int) -> float:
        kept = [index for index in range(len(jobs)) if index != left]
        law = Law.fit([jobs[index] for index in kept], [measured[index] for index in kept])
        return abs(law.seconds(jobs[left]) / measured[left] - 1)

    return max(map(error, range(len(jobs))))


def measure(data: Path, steps: int) -> Iterator[tuple[Job, float]]:
    """Jobs and the median seconds of their steps."""
    for width, rows, ranks in product(WIDTHS, ROWS, RANKS):
        settings = ("data.streams=['image']", f"loom.width={width}", f"training.loom.batch_size={rows}")
        with tempfile.TemporaryDirectory() as place:
            run = Path(place) / "run"
            found = seconds(data, run, ranks, {"image": 2, "loom": steps}, settings)["loom"]
            loom = modaloom.load(run).model.loom
        length = sum(shape.num_positions for shape in loom.shapes.values())
        parameters = sum(parameter.numel() for parameter in loom.parameters())
        job = Job(parameters, width, loom.config.num_layers, length, rows, ranks)
        print(f"{job}: {1000 * found:.1f} ms", flush=True)
        yield job, found


def table(law: Law, job: Job) -> str:
    """Markdown: strong and weak efficiency of more ranks, by network."""
    lines = [
        f"| network | {' | '.join(f'{ranks:,} ranks' for ranks in MANY)} |",
        "|---|" + "---:|" * len(MANY),
    ]
    for name, bandwidth in NETWORKS.items():
        there = replace(law, byte=1 / bandwidth, latency=LATENCY)
        pairs = [f"{there.strong(job, ranks):.2f} / {there.weak(job, ranks):.2f}" for ranks in MANY]
        lines.append(f"| {name} | {' | '.join(pairs)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--flops", type=float, default=4e14)
    args = parser.parse_args()
    jobs, measured = zip(*measure(args.data, args.steps))
    law = Law.fit(jobs, measured)
    print(f"{law}; largest error of what it did not see: {unseen_error(jobs, measured):.0%}")
    for name, there, job in (
        ("tiny, here", law, replace(jobs[0], rows=256, ranks=1)),
        (f"1e8 parameters at {args.flops:g} FLOP/s", law.at(args.flops), BASE),
    ):
        print(f"\n{name}, {job.rows} rows of {job.length} tokens: strong / weak efficiency\n")
        print(table(there, job))


if __name__ == "__main__":
    main()
