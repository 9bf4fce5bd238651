"""Handwritten digits: words from pictures and pictures from words, scored by independent classifiers.

python examples/digits.py digits
python benchmarks/digits.py digits RUN                       a trained run
python benchmarks/digits.py digits --train --minutes 5       trains RUNS/seed-0, … first
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from figures import Figures, Target, arguments, by_seed, publish
from numpy.typing import NDArray
from PIL import Image
from sklearn.neighbors import NearestNeighbors
from sklearn.svm import SVC

from modaloom import api
from modaloom.core.types import Sample
from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader
from modaloom.loom.model import Model

PER_WORD = 20
"""Pictures generated per word."""
TARGETS = (
    Target("image→text, exact", 0.95),
    Target("text→image, recognised", 0.92),
    Target("text→image, recognised: ceiling (held-out digits)"),
    Target("text→image, recognised: ceiling (held-out digits through the tokenizer)"),
    Target("text→image, variance within a class / real", 0.6),
    Target("text→image, variance within a class / real: ceiling (held-out digits through the tokenizer)"),
    Target("text→image, distance to the nearest training digit / real", 0.8),
)

Points = NDArray[np.float64]
"""(n, pixels) in 0..1."""


@dataclass(frozen=True)
class Digits:
    """Pictures and their words."""

    keys: list[str]
    images: list[Image.Image]
    words: NDArray[np.str_]

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Self:
        words = np.array([sample.streams["text"] for sample in samples])
        return cls([sample.key for sample in samples], [sample.streams["image"] for sample in samples], words)


def read(folder: Path) -> tuple[Digits, Digits]:
    """Training and test digits."""
    index = open_folder(folder)
    reader = Reader(index)
    splits = index.splits or {}
    train, test = (
        Digits.of([reader.read(sample) for sample in index.samples if splits.get(sample.key) == name])
        for name in ("train", "test")
    )
    return train, test


def points(images: Sequence[Image.Image]) -> Points:
    """Grey values of pictures of one size."""
    return np.stack([np.asarray(image.convert("L"), np.float64).ravel() / 255 for image in images])


def variance(generated: Points, words: NDArray[np.str_], real: Points, real_words: NDArray[np.str_]) -> float:
    """Pixel variance within a class relative to the real class's; mean over classes."""
    return float(
        np.mean(
            [
                generated[words == word].var(0, ddof=1).sum() / real[real_words == word].var(0, ddof=1).sum()
                for word in np.unique(real_words)
            ]
        )
    )


def distance(generated: Points, real: Points, train: Points) -> float:
    """Median distance to the nearest training digit, relative to that of held-out digits."""
    near = NearestNeighbors(n_neighbors=1).fit(train)
    ours, theirs = (np.median(near.kneighbors(found)[0]) for found in (generated, real))
    return float(ours / theirs)


def measure(
    model: Model, train: Digits, test: Digits, *, seed: int, judged_by: Digits | None = None
) -> Figures:
    """The figures of one model; the machine that recognises digits has learned `judged_by`, or `train`."""
    words = np.repeat(np.unique(train.words), PER_WORD)
    generated = points(_generate(model, "text", words.tolist(), "image", range(len(words)), seed))
    said = np.array(_generate(model, "image", test.images, "text", test.keys, seed))
    rebuilt = points(model.decode("image", model.encode("image", test.images)))
    known, real = points(train.images), points(test.images)
    teacher = judged_by or train
    judge = SVC(gamma="scale").fit(points(teacher.images), teacher.words)
    values = (
        float(np.mean(said == test.words)),
        float(judge.score(generated, words)),
        float(judge.score(real, test.words)),
        float(judge.score(rebuilt, test.words)),
        variance(generated, words, known, train.words),
        variance(rebuilt, test.words, real, test.words),
        distance(generated, real, known),
    )
    return {target.name: value for target, value in zip(TARGETS, values, strict=True)}


def _generate(
    model: Model, given: str, values: list[Any], want: str, names: Sequence[str | int], seed: int
) -> list[Any]:
    generated = model.generate({given: values}, [want], n=len(values), names=names, seed=seed)
    return [values[want] for values in generated]


def train(options: argparse.Namespace, seed: int) -> api.TrainedRun:
    """A run in RUNS/seed-N; an existing one is resumed or reused."""
    return api.train(
        options.folder,
        out=options.run / f"seed-{seed}",
        minutes=None if options.steps else options.minutes,
        steps=options.steps,
        seed=seed,
        resume=True,
    )


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("folder", type=Path, help="what examples/digits.py wrote")
    parser.add_argument(
        "run", type=Path, nargs="?", default="runs/digits-benchmark", help="a run; with --train, for them"
    )
    parser.add_argument("--train", action="store_true", help="train a run for every seed")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--steps", type=int, help="instead of minutes, for every stage")
    options = parser.parse_args()
    digits = read(options.folder)
    if options.train:
        found = {seed: measure(train(options, seed).model, *digits, seed=seed) for seed in options.seeds}
        publish(TARGETS, by_seed(found), options.json)
    else:
        run = api.load(options.run)
        publish(TARGETS, {"measured": measure(run.model, *digits, seed=0)}, options.json)


if __name__ == "__main__":
    main()
