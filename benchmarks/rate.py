"""Rate and distortion: codebook growth, adaptive depth, and a sweep at equal bits. Minutes on one thread.

python benchmarks/rate.py [--seeds 0,1,2] [--batches 600] [--json FILE] [--plot FILE.png]

Everything is measured on held-out vectors. Distortion is the mean squared error over the variance. Bits are
counted plainly (log₂K per code, plus the entropy of the depth) and with an ideal entropy coder.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from bits import COUNTS, Curve, shared
from chart import Line, Scale, chart
from figures import Figures, Target, arguments, by_seed, records, table
from sweep import BITS, sweep
from torch import Tensor
from trained import BATCH, growing, train, with_target
from vectors import VECTORS, Vectors

from modaloom.quantizers import Adaptive, Quantizer, build, stats

GROWN = 1024
"""Codes at the end of growth."""
SIZE, DEPTH = 256, 6
"""Of the residual whose depth adapts."""
DISTORTIONS = (0.1, 0.05, 0.02, 0.01)
"""Target distortions of adaptive depth."""
PATCHES = ("world", "photographs")

Table = tuple[Sequence[Target], Mapping[str, Figures]]
"""Rows and columns."""


def growth(name: str, vectors: Vectors, *, batches: int, seed: int) -> Figures:
    """Codebooks of GROWN codes, all from the first batch on and grown, after equally many batches."""
    dim, found = vectors.train.shape[1], dict[str, float]()
    for kind, options in {"fixed": {}, "grown": {"growth": growing(batches, GROWN)}}.items():
        quantizer = train(build("vq", dim, GROWN, **options), vectors, batches=batches, seed=seed)
        for stat, value in quantizer(vectors.held).stats.items():
            found[f"{name}: {stat}, {kind}"] = float(value)
    for stat in ("distortion", "perplexity"):
        fixed, grown = (found[f"{name}: {stat}, {kind}"] for kind in ("fixed", "grown"))
        found[f"{name}: {stat}, grown / fixed"] = grown / fixed
    return found


def growth_targets(name: str) -> Iterator[Target]:
    yield Target(f"{name}: distortion, grown / fixed", 1.02, "≤")
    yield Target(f"{name}: perplexity, grown / fixed", 1.0)
    for stat in ("distortion", "perplexity", "usage"):
        for kind in ("fixed", "grown"):
            yield Target(f"{name}: {stat}, {kind}")


@dataclass(frozen=True)
class Rate:
    """What fixed and adaptive depth reach, by how bits are counted."""

    fixed: dict[str, Curve]
    adaptive: dict[str, Curve]

    def figures(self, name: str) -> Iterator[tuple[str, float]]:
        """Distortion as a share of the fixed depths' at the same bits."""
        for count, curve in self.adaptive.items():
            for target, (bits, lost) in zip(DISTORTIONS, curve, strict=True):
                yield rate_figure(name, count, target), lost / shared(self.fixed[count], bits)
                yield f"{name}, target {target:g}: {count} bits", bits


def rate_figure(name: str, count: str, target: float) -> str:
    return f"{name}, target {target:g}: distortion, adaptive / fixed at equal {count} bits"


def rate_targets(name: str) -> Iterator[Target]:
    for count in COUNTS:
        for target in DISTORTIONS:
            yield Target(rate_figure(name, count, target), 0.9, "≤")
            yield Target(f"{name}, target {target:g}: {count} bits")


def rate(vectors: Vectors, *, batches: int, seed: int) -> Rate:
    """One residual, cut at every depth, and with a depth for each vector."""
    made = build("vq", vectors.train.shape[1], SIZE, DEPTH, adaptive_distortion=DISTORTIONS[0])
    assert isinstance(made, Adaptive)
    adaptive = train(made, vectors, batches=batches, seed=seed)
    z, codes = vectors.held, adaptive.residual(vectors.held).codes
    cuts = [torch.where(torch.arange(DEPTH) < n, codes, SIZE) for n in range(1, DEPTH + 1)]
    chosen = [with_target(adaptive, target)(z).codes for target in DISTORTIONS]
    return Rate(*({count: _curve(adaptive, z, rows, count) for count in COUNTS} for rows in (cuts, chosen)))


def _curve(quantizer: Quantizer, z: Tensor, codes: Sequence[Tensor], count: str) -> Curve:
    return [(COUNTS[count](c, SIZE), float(stats.distortion(z, quantizer.decode(c)))) for c in codes]


def transposed(rows: dict[str, Figures]) -> Table:
    """Targets without bounds, one for each row, and columns."""
    names = next(iter(rows.values()))
    return [Target(row) for row in rows], {name: {row: rows[row][name] for row in rows} for name in names}


def panels(rates: dict[str, Rate]) -> dict[str, list[Line]]:
    """What the plot shows."""
    return {
        f"{name}, {count} bits": [
            Line("fixed depth", found.fixed[count]),
            Line("adaptive depth", found.adaptive[count]),
        ]
        for name, found in rates.items()
        for count in COUNTS
    }


def publish(tables: dict[str, Table], path: Path | None) -> None:
    """Print the tables; with a path, also write {title: records}."""
    for title, shown in tables.items():
        print(f"\n{title}\n\n{table(*shown)}", flush=True)
    if path is not None:
        found = {title: records(*shown) for title, shown in tables.items()}
        path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--batches", type=int, default=600, help=f"of {BATCH} vectors, for each codebook")
    parser.add_argument("--plot", type=Path, help="plot distortion against bits, a PNG")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data, n = {name: make() for name, make in VECTORS.items()}, options.batches
    grown = {
        seed: dict(f for name in data for f in growth(name, data[name], batches=n, seed=seed).items())
        for seed in options.seeds
    }
    rates = {
        seed: {name: rate(data[name], batches=n, seed=seed) for name in PATCHES} for seed in options.seeds
    }
    rated = {seed: dict(f for n in PATCHES for f in found[n].figures(n)) for seed, found in rates.items()}
    swept = {name: dict(sweep(data[name], batches=n, seed=options.seeds[0])) for name in PATCHES}
    tables: dict[str, Table] = {
        "growth": ([target for name in data for target in growth_targets(name)], by_seed(grown)),
        "adaptive rate": ([target for name in PATCHES for target in rate_targets(name)], by_seed(rated)),
        **{f"{BITS} bits, {name}": transposed(rows) for name, rows in swept.items()},
    }
    publish(tables, options.json)
    if options.plot:
        chart(
            panels(rates[options.seeds[0]]),
            options.plot,
            x=Scale("bits a vector"),
            y=Scale("distortion", log=True),
        )


if __name__ == "__main__":
    main()
