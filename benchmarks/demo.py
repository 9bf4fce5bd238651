"""The demo at several seeds: cost and quality.

python benchmarks/demo.py [--minutes 30] [--seeds 0,1,2] [--out RUNS]

Existing runs in RUNS are resumed or reused; their time and memory are not measured.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from figures import Figures, Target, arguments, by_seed, publish

if TYPE_CHECKING:
    from modaloom.evaluation import ScoreRow

WALL, MEMORY = "wall time, minutes", "peak memory, GB"
BOTH = ("image->caption", "caption->image")
ANSWER, JOINT = "image+question->answer", "->image+caption"
LONG = 30.0
"""From so many minutes on, targets are higher and the wall time is not limited."""


def targets(minutes: float) -> list[Target]:
    """In the order of the table."""
    long = minutes >= LONG
    worst = {"seen": 0.95, "level1": 0.9} if long else {"seen": 0.8, "level1": 0.7}
    return [
        Target(WALL, None if long else 10, "≤"),
        Target(MEMORY, 4, "≤"),
        *(target for name in BOTH for target in _pair(name, worst)),
        Target(f"{ANSWER}, seen: mean slot / ceiling", 0.9),
        Target(f"{ANSWER}, seen: mean slot"),
        Target(f"{ANSWER}, seen: question-only floor"),
        Target(f"{JOINT}: all slots agree", 0.8),
        Target(f"{JOINT}: least entropy of a factor / data's", 0.95),
        Target("codebook: size", 256),
        Target("codebook: least perplexity of a position's depth / size", 0.5),
        Target("codebook: perplexity of the tint / size"),
    ]


def _pair(name: str, worst: dict[str, float]) -> Iterator[Target]:
    yield Target(f"{name}, seen: mean slot / ceiling", 0.9)
    yield Target(f"{name}, level1: mean slot / ceiling")
    for split, bound in worst.items():
        yield Target(f"{name}, {split}: worst slot", bound)
    for split in worst:
        yield Target(f"{name}, {split}: worst slot's ceiling", 0.98)


def run_demo(out: Path, *, seed: int, minutes: float) -> Figures:
    """Run the demo as `make demo` does; its time and its peak memory, unless `out` was there before."""
    fresh, start = not out.exists(), time.monotonic()
    options = ["--out", str(out), "--seed", str(seed), "--minutes", str(minutes)]
    child = subprocess.Popen([sys.executable, "-m", "modaloom", "demo", *options])
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"the demo at seed {seed} ended with exit code {child.returncode}")
    if not fresh:
        return {}
    unit = 1 if sys.platform == "darwin" else 1024  # bytes in a unit of ru_maxrss
    return {WALL: (time.monotonic() - start) / 60, MEMORY: usage.ru_maxrss * unit / 1e9}


def score(out: Path, *, n: int) -> Figures:
    """The figures of a finished demo."""
    from modaloom import api
    from modaloom.report.facts import read

    rows = api.evaluate(out, out.with_name(f"{out.name}-world"), n=n)
    usage = read(out).usage["image"]
    return {**from_rows(rows), **from_usage(usage["size"], usage["perplexity"], shared=usage["shared"])}


def from_rows(rows: "Sequence[ScoreRow]") -> Figures:
    """Scores by name, as in `targets`."""
    at = {(row.row, row.split, row.metric): row for row in rows}
    found = {}
    for name, split in [*((name, split) for name in BOTH for split in ("seen", "level1")), (ANSWER, "seen")]:
        mean, worst = at[name, split, "slot.mean"], at[name, split, "slot.worst"]
        found[f"{name}, {split}: mean slot"] = mean.value
        found[f"{name}, {split}: mean slot / ceiling"] = mean.value / (mean.ceiling or 1)
        found[f"{name}, {split}: worst slot"] = worst.value
        found[f"{name}, {split}: worst slot's ceiling"] = worst.ceiling or 0
        found[f"{name}, {split}: question-only floor"] = mean.floor or 0
    entropies = {row.metric: row.value for row in rows if row.row == JOINT and "entropy." in row.metric}
    found[f"{JOINT}: all slots agree"] = at[JOINT, "seen", "agree.all"].value
    found[f"{JOINT}: least entropy of a factor / data's"] = min(entropies.values())
    return found


def from_usage(size: int, perplexity: Sequence[float], *, shared: int) -> Figures:
    """Codebook usage: size, and perplexity per residual quantizer.

    The last `shared` quantizers are the global (tint) codes: they also encode augmented colours, which occur
    in training only.
    """
    own, tint = perplexity[: len(perplexity) - shared], perplexity[len(perplexity) - shared :]
    found = {
        "codebook: size": size,
        "codebook: least perplexity of a position's depth / size": min(own) / size,
    }
    return found | ({"codebook: perplexity of the tint / size": min(tint) / size} if tint else {})


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=float, default=8.0, help="of training")
    parser.add_argument("--n", type=int, default=500, help="samples a direction and split")
    parser.add_argument("--out", type=Path, default="runs/demo-benchmark", help="where the runs go")
    options = parser.parse_args()
    outs = {seed: options.out / f"seed-{seed}" for seed in options.seeds}
    # All runs before any score: a child's peak memory starts at its parent's, which is small until then.
    costs = {seed: run_demo(out, seed=seed, minutes=options.minutes) for seed, out in outs.items()}
    found = {seed: {**costs[seed], **score(out, n=options.n)} for seed, out in outs.items()}
    publish(targets(options.minutes), by_seed(found), options.json)


if __name__ == "__main__":
    main()
