"""Edits by a run of the world of edits, in a conversation: is what was asked for changed, and nothing else?

modaloom world edits --world edits --n 8000
modaloom train edits --streams image,instruction,image.edited --out runs/edits --minutes 30 \\
    --set tokenizers.image.global_codes=1 --set 'loom.mixture.wanted=["image.edited"]'
python benchmarks/edits.py runs/edits edits [--n 100] [--seeds 0,1,2] [--json figures.json]

A copy of the given picture changes nothing and keeps everything.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from figures import Figures, Target, arguments, by_seed, publish

SPLITS = ("test-seen", "test-level1")
CHANGED, KEPT = "as asked", "other factors as before"
TARGETS = [
    target
    for split in SPLITS
    for target in (Target(f"{split}: {CHANGED}", 0.9), Target(f"{split}: {KEPT}", 0.95))
]


def figures_of(pairs: Sequence[tuple[dict[str, str], dict[str, str]]]) -> dict[str, float]:
    """(Facts of the world, parsed edit) of each picture → shares of factors."""
    changed, kept = [], []
    for facts, parsed in pairs:
        for factor, value in parsed.items():
            (changed if factor == facts["changed"] else kept).append(value == facts[f"edited.{factor}"])
    return {CHANGED: mean(changed), KEPT: mean(kept)}


def measured(run, world: Path, *, n: int, seed: int) -> Figures:
    from modaloom import api
    from modaloom.world.parsers import PARSERS

    lines = [json.loads(line) for line in (world / "_world.jsonl").read_text(encoding="utf-8").splitlines()]
    pairs = defaultdict(list)
    talk = api.chat(run, seed=seed)
    for facts in lines:
        split, key = facts["split"], facts["key"]
        if split in SPLITS and len(pairs[split]) < n:
            words = (world / f"{key}.instruction.txt").read_text(encoding="utf-8")
            reply = talk.ask(words, given={"image": world / f"{key}.image.png"}, want="image.edited")
            pairs[split].append((facts, PARSERS["image"](reply.values["image.edited"])))
    return {
        f"{split}: {name}": figure for split in SPLITS for name, figure in figures_of(pairs[split]).items()
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("world", type=Path, metavar="WORLD", help="what the run was trained on")
    parser.add_argument("--n", type=int, default=100, help="pictures of each split")
    options = parser.parse_args()
    from modaloom import api

    run = api.load(options.run)
    figures = {seed: measured(run, options.world, n=options.n, seed=seed) for seed in options.seeds}
    publish(TARGETS, by_seed(figures), options.json)


if __name__ == "__main__":
    main()
