"""Whether attributions mean something: deletion and insertion curves beside random orders, on held-out
samples of the built-in world, explained by the bundled run.

python benchmarks/explain.py [--run demo] [--n 10] [--orders 2] [--seeds 0,1,2] [--json figures.json]

Areas are fractions of what all parts together tell: 0 is what is known of the value without them, 1 with all.
"""

from collections.abc import Mapping, Sequence
from statistics import mean

from figures import Figures, Target, arguments, by_seed, publish

DIRECTIONS = {"answer": ("image", "question"), "caption": ("image",), "image": ("caption",)}
"""Wanted stream → given ones."""
TELLING = {
    "shape": ("shape",),
    "colour": ("colour",),
    "size": ("large", "size", "small"),
    "position": ("where", "position", "sit"),
    "background": ("background", "dark", "light", "bright"),
}
"""Factor → the words of the world's questions that tell which one is asked for."""
WORD, CHANCE = "question: its first word tells what is asked", "question: words that do, of all"


def row(want: str) -> str:
    return f"{'+'.join(DIRECTIONS[want])}->{want}"


CURVES = ("deletion", "insertion", "random")
BETTER = [f"{row(want)}: both areas better than all random ones" for want in DIRECTIONS]
TARGETS = [
    *(Target(f"{row(want)}: {name}") for want in DIRECTIONS for name in CURVES),
    *map(Target, BETTER),
    Target(WORD),
    Target(CHANCE),
    Target("n"),
]


def fractions(found: Sequence) -> dict[str, float]:
    """Curve → its mean area, as a fraction of what is told."""
    nothing, everything = (mean(one.insertion[end] for one in found) for end in (0, -1))
    areas = {name: mean(mean(one.areas[name]) for one in found) for name in CURVES}
    return {name: (area - nothing) / (everything - nothing) for name, area in areas.items()}


def is_better(one) -> bool:
    (deletion,), (insertion,), random = (one.areas[name] for name in CURVES)
    return deletion < min(random) and insertion > max(random)


def words(found: Sequence, asked: Sequence[str]) -> Figures:
    """How often the most important word of a question tells which factor is asked for, and how many do."""
    hits, chances = [], []
    for one, factor in zip(found, asked):
        parts = [part for part in one.parts if part.stream == "question"]
        chances.append(mean(part.part in TELLING[factor] for part in parts))
        hits.append(max(parts, key=lambda part: part.bits).part in TELLING[factor])
    return {WORD: mean(hits), CHANCE: mean(chances)}


def measured(run, *, n: int, orders: int, seed: int) -> Figures:
    from modaloom import api
    from modaloom.world import STREAMS
    from modaloom.world.splits import scene

    scenes = [scene(seed, "test-seen", i, {"motion": "still"}) for i in range(1, n + 1)]
    samples: list[Mapping[str, object]] = [
        {name: STREAMS[name].render(one) for name in ("image", "caption", "question")} for one in scenes
    ]
    figures: dict[str, float] = {"n": n}
    for want, given in DIRECTIONS.items():
        found = [
            api.explain(
                run, given={name: sample[name] for name in given}, want=want, seed=seed, orders=orders
            )
            for sample in samples
        ]
        figures |= {f"{row(want)}: {name}": area for name, area in fractions(found).items()}
        figures[f"{row(want)}: both areas better than all random ones"] = mean(map(is_better, found))
        if "question" in given:
            figures |= words(found, [one.asked for one in scenes])
    return figures


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--run", default="demo", help="a run of the world")
    parser.add_argument("--n", type=int, default=10, help="samples of each seed")
    parser.add_argument("--orders", type=int, default=2, help="orders of the parts of a stream")
    options = parser.parse_args()
    from modaloom import api

    run = api.load(options.run)
    figures = {seed: measured(run, n=options.n, orders=options.orders, seed=seed) for seed in options.seeds}
    publish(TARGETS, by_seed(figures), options.json)


if __name__ == "__main__":
    main()
