"""Super-resolution ×2 of photographs after some minutes of training, beside bicubic and a linear filter.

python benchmarks/superres.py [--minutes 2,5,20] [--judged coffee china astronaut] [--json F]

Each time is a training of its own, since the learning rate decays with the time that is left. Photographs
that are judged, and other views of them, are in no training. The linear filter is fitted to other crops of
the training photographs than the network's own, and finished in the same way. `--no-filter` starts from
bicubic interpolation.
"""

import argparse
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import photographs
from faults import db
from figures import Figures, Target, numbers, publish
from restore import EVERY, Lessons, ridge_of, train, untrained
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.restorer.config import RestorerConfig
from modaloom.restorer.files import Restoration
from modaloom.restorer.inference import run_task
from modaloom.restorer.patch_ridge import PatchRidge
from modaloom.restorer.tasks import TASKS, Signals

TASK = "superres"
CONFIG = RestorerConfig(TASK)
JUDGED = ("coffee", "china", "astronaut")
OVER_RIDGE, LEAST = "{}: dB over ridge", "dB over ridge, least of all photographs and times"
START, STEPS = "seconds until the first step", "steps"


def judge(
    found: Restoration, pictures: Mapping[str, Tensor], ridge: PatchRidge
) -> Iterator[tuple[str, float]]:
    """The posterior mean of each photograph, and the mean over them."""
    task, options, gains = TASKS[TASK], found.options, []
    for name, picture in pictures.items():
        held = Signals(input=task.degrade(Signals(picture), options, generator(0, "judge")).input)
        guess = task.initial_estimate(task.build_condition(held, options))
        linear = db(task.postprocess(ridge(guess), held, options), picture)
        mean = run_task(found.restorer, found.task, held, options, mode="mean", sampling=CONFIG.sampling)
        gains.append(db(mean, picture) - linear)
        yield f"{name}: dB over bicubic", db(mean, picture) - db(guess, picture)
        yield OVER_RIDGE.format(name), gains[-1]
    yield OVER_RIDGE.format("mean"), sum(gains) / len(gains)
    yield LEAST, min(gains)


def attempt(lessons: Lessons, minutes: float, *, filtered: bool) -> tuple[Restoration, Figures]:
    """A training of so many minutes."""
    start = time.monotonic()
    found = untrained(CONFIG, lessons)
    found = found if filtered else replace(found, filters=())
    made = {START: time.monotonic() - start, STEPS: 0.0}
    for _ in train(
        found.restorer, replace(lessons, task=found.task), sides=CONFIG.crop_sizes, seconds=60 * minutes
    ):
        made[STEPS] += 1
    found.restorer.eval()
    return found, made


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=numbers, default=[2, 5, 20], help="of each training, ascending")
    parser.add_argument(
        "--judged", nargs="+", choices=sorted(EVERY), default=JUDGED, help="photographs to score"
    )
    parser.add_argument("--side", type=int, default=240, help="pixels that are scored, even")
    parser.add_argument("--no-filter", action="store_true", help="start from bicubic interpolation")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    tested, learned = photographs.split([EVERY[name] for name in options.judged])
    judged = {name: photographs.middle(picture, options.side) for name, picture in tested.items()}
    pictures = [(255 * picture).round().byte().numpy() for picture in learned.values()]
    lessons = Lessons(pictures, CONFIG.crop_scales, CONFIG.crop_candidates, options.seed, TASKS[TASK])
    ridge, columns = ridge_of(lessons), dict[str, Figures]()
    for minutes in options.minutes:
        found, made = attempt(lessons, minutes, filtered=not options.no_filter)
        figures = {**dict(judge(found, judged, ridge)), **made}
        figures[LEAST] = min(column[LEAST] for column in (*columns.values(), figures))
        columns[f"{minutes:g} min"] = figures
        publish(targets(options.judged), columns, options.json)


def targets(names: list[str]) -> list[Target]:
    return [
        *(Target(f"{name}: dB over bicubic") for name in names),
        *(Target(OVER_RIDGE.format(name), 0) for name in names),
        Target(OVER_RIDGE.format("mean"), 0.5),
        Target(LEAST, 0),
        Target(START),
        Target(STEPS),
    ]


if __name__ == "__main__":
    main()
