"""Colorization: a Restorer beside the Bayes-optimal answer for the world's groups of equal lightness.

python benchmarks/colours.py [--minutes 4] [--seeds 0] [--n 400] [--set KEY=VALUE] [--out RUNS]

Trains `image` from `image.gray`, in which the colours of a group are nearly equal. `mean` is the colour of
the posterior mean, a vote the most frequent colour among samples. The best observer knows which combinations
occur (tone) and the grey value to a tenth of a level (level): an upper bound for any model.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from figures import Figures, Target, arguments, by_seed, publish
from torch import Tensor

from modaloom import api
from modaloom.core.rng import derive, generator
from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader
from modaloom.evaluation.parsed import read_facts
from modaloom.modalities import MODALITIES
from modaloom.modalities.unit import from_unit, to_unit
from modaloom.restorer.example import collate
from modaloom.restorer.files import Restoration
from modaloom.restorer.tasks import Signals
from modaloom.world.palette import chance
from modaloom.world.parsers.image import parse_image
from modaloom.world.write import FACTS

GIVEN, WANT = "image.gray", "image"
IMAGE = MODALITIES["image"]
VOTES, STEPS, BATCH = 9, 16, 50
"""Samples per picture, steps per sample, batch size."""
BOUND = chance()
ROOM = 0.05
SET = (
    "restorer.network=unet",
    "restorer.unet.fourier_frequencies=5",
    "restorer.mean_prob=0",
    "restorer.crop_sizes=[32]",
    "restorer.crop_scales=1",
    "restorer.crop_candidates=1",
)
"""A network that sees the whole picture, and grey values that lie close together; samples only."""
MEAN, VOTE, SAMPLE = "colour named, mean", f"colour named, vote of {VOTES}", "colour named, one sample"
TARGETS = [
    Target(MEAN),
    Target(VOTE, BOUND.by_level - ROOM),
    Target(SAMPLE),
    Target("best observer, tone"),
    Target("best observer, tone and level"),
]


def named(found: Restoration, questions: Sequence[Tensor], *, seed: int) -> Iterator[list[str]]:
    """For grey pictures: the colours of the posterior mean, where it is trained, then of each sample."""
    task, options, restorer = found.task, found.options, found.restorer
    inputs = [Signals(input=signal) for signal in questions]
    examples = [task.build_condition(signals, options) for signals in inputs]
    pair, times = collate(examples), torch.linspace(1, 0, STEPS + 1)

    def colours(answers: Tensor) -> list[str]:
        finished = [task.finalize(*parts, options) for parts in zip(answers, examples, inputs)]
        return [parse_image(from_unit(IMAGE, {}, signal))["colour"] for signal in finished]

    yield colours(restorer.mean(pair)) if "mean" in restorer.modes else [""] * len(inputs)
    for vote in range(VOTES):
        noise = torch.randn(pair.target.shape, generator=generator(seed, "vote", vote))
        yield colours(restorer.sample(pair, noise, times))


def right(found: Restoration, questions: Sequence[Tensor], truth: Sequence[str], *, seed: int) -> Figures:
    """Shares of right colours."""
    hits = dict.fromkeys((MEAN, VOTE, SAMPLE), 0)
    for start in range(0, len(questions), BATCH):
        some = slice(start, start + BATCH)
        mean, *votes = named(found, questions[some], seed=derive(seed, start))
        elected = [Counter(names).most_common(1)[0][0] for names in zip(*votes)]
        for name, colours in ((MEAN, mean), (VOTE, elected), (SAMPLE, votes[0])):
            hits[name] += sum(map(str.__eq__, colours, truth[some]))
    learned = hits if "mean" in found.restorer.modes else {name: hits[name] for name in (VOTE, SAMPLE)}
    return {name: count / len(truth) for name, count in learned.items()}


def attempt(options: argparse.Namespace, seed: int) -> Figures:
    """Write data, train, measure on held-out pictures of seen combinations."""
    folder, out = options.out / f"world-{seed}", options.out / f"seed-{seed}"
    if not folder.exists():
        api.world(folder, n=8000, seed=seed, held_out=options.n, streams=(GIVEN, WANT))
    run = api.train(
        folder,
        out=out,
        streams=(GIVEN, WANT),
        task="image_to_image",
        minutes=options.minutes,
        seed=seed,
        settings=options.set,
        resume=True,
        device="cpu",
    )
    index = open_folder(folder)
    picked = [s for s in index.samples if (index.splits or {})[s.key] == "test-seen"][: options.n]
    facts, reader = read_facts(folder / FACTS), Reader(index)
    questions = [to_unit(IMAGE, {}, reader.read(sample).streams[GIVEN]) for sample in picked]
    truth = [facts[sample.key]["colour"] for sample in picked]
    best = {"best observer, tone": BOUND.by_tone, "best observer, tone and level": BOUND.by_level}
    return {**right(run.restoration, questions, truth, seed=seed), **best}


def main() -> None:
    parser = arguments(__doc__)
    parser.set_defaults(seeds=[0])
    parser.add_argument("--minutes", type=float, default=4.0, help="of every training")
    parser.add_argument("--n", type=int, default=400, help="pictures")
    parser.add_argument("--set", action="append", default=[*SET], help="a setting of the run")
    parser.add_argument("--out", type=Path, default="runs/colours-benchmark", help="where data and runs go")
    options = parser.parse_args()
    publish(TARGETS, by_seed({seed: attempt(options, seed) for seed in options.seeds}), options.json)


if __name__ == "__main__":
    main()
