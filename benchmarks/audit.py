"""How many swapped captions an audit finds: 5% are swapped in a copy of the run's world.

python benchmarks/audit.py RUN WORLD [--n 400] [--seeds 0,1,2] [--json figures.json]
"""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from figures import Figures, Target, arguments, over_seeds, publish

SHARE, TOP = 0.05, 0.10
"""Shares of the samples: with swapped captions, and of the most suspicious that are searched for them."""
FOUND = "swapped captions among the 10% most suspicious"
TARGETS = [Target(FOUND, 0.8), Target("n"), Target("swapped")]


def copied(world: Path, to: Path, keys: Sequence[str]) -> None:
    """Link the samples of these keys; copy the captions."""
    for key in keys:
        (to / key).parent.mkdir(parents=True, exist_ok=True)
        for file in (world / key).parent.glob(f"{Path(key).name}.*"):
            place = (to / key).parent / file.name
            shutil.copy(file, place) if ".caption." in file.name else os.symlink(file.absolute(), place)


def swap(folder: Path, keys: Sequence[str], seed: int) -> list[str]:
    """Rotate the captions among a share of the keys; returns those whose meaning changed."""
    from modaloom.core.rng import permutation
    from modaloom.world.score import parse

    chosen = [keys[i] for i in permutation(len(keys), seed, "swap")[: round(SHARE * len(keys))].tolist()]
    files = [folder / f"{key}.caption.txt" for key in chosen]
    texts = [file.read_text(encoding="utf-8") for file in files]
    for file, text in zip(files, [*texts[1:], *texts[:1]]):
        file.write_text(text, encoding="utf-8")
    said = [parse("caption", text) for text in texts]
    return [key for key, old, new in zip(chosen, said, [*said[1:], *said[:1]]) if old != new]


def recovered(run: Path, world: Path, *, n: int, seed: int) -> Figures:
    """Audit a copy of n samples of the seen combinations with swapped captions."""
    from modaloom import api

    keys = sorted(
        str(file.relative_to(world))[: -len(".caption.txt")] for file in world.glob("test-seen/*.caption.txt")
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "world"
        copied(world, folder, keys[:n])
        wrong = set(swap(folder, keys[:n], seed))
        found = api.audit(run, folder, n=n, seed=seed)
    top = {suspect.key for suspect in found.suspects[: round(TOP * len(found.suspects))]}
    return {FOUND: len(wrong & top) / len(wrong), "n": found.audited, "swapped": len(wrong)}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("world", type=Path, metavar="WORLD", help="what the run was trained on")
    parser.add_argument("--n", type=int, default=400, help="samples")
    options = parser.parse_args()
    publish(TARGETS, over_seeds(recovered, options), options.json)


if __name__ == "__main__":
    main()
