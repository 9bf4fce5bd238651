"""Quality against the number of steps, for every sampler that supports a run's process.

python benchmarks/samplers.py RUN WORLD [--steps 4,8,16,32,64] [--n 200] [--plot samplers.png] [--json F]

Captions from images and images from captions of seen combinations; the score is the share of correct slots.
Temperature and other settings are the run's, the same for every sampler.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from chart import Scale, chart
from figures import Figures, Target, arguments, integers, publish

from modaloom import api
from modaloom.core.types import Sample
from modaloom.data.folder import open_folder
from modaloom.diffusion.samplers import CODE_SAMPLERS
from modaloom.evaluation.choice import judge_of
from modaloom.evaluation.judge import Judge
from modaloom.evaluation.rows import Direction
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.evaluation.folder import held_out
from modaloom.report.plots import Line

DIRECTIONS = (Direction(("image",), ("caption",)), Direction(("caption",), ("image",)))
SPLIT, METRIC = "test-seen", "slot.mean"


@dataclass(frozen=True)
class Exam:
    """A run and its evaluation samples."""

    run: api.TrainedRun
    samples: Sequence[Sample]
    judge: Judge

    @classmethod
    def of(cls, run: api.TrainedRun, folder: Path, *, n: int) -> "Exam":
        """The first n samples of the split."""
        index = open_folder(folder)
        samples = held_out(run, index)[SPLIT][:n]
        return cls(run, samples, judge_of(index.path, (), {SPLIT: samples}, run.modality_of, run.model.specs))

    def score(self, direction: Direction, sampling: CodeSamplingConfig) -> float:
        given = {name: [s.streams[name] for s in self.samples] for name in direction.given}
        names, n = [sample.key for sample in self.samples], len(self.samples)
        generated = self.run.model.generate(given, direction.want, n=n, names=names, options=sampling)
        return self.judge.score(direction, generated, self.samples)[METRIC].value


def fitting(run: api.TrainedRun) -> list[str]:
    """The samplers that support the run's process."""
    return [name for name, value in CODE_SAMPLERS.items() if run.model.loom.config.process in value.fns]


def measure(exam: Exam, steps: Sequence[int]) -> dict[str, Figures]:
    """Sampler → figures, one for each direction and number of steps."""
    default, found = exam.run.model.loom.config.sampling, {}
    for sampler in fitting(exam.run):
        ways = [replace(default, sampler=sampler, steps=count) for count in steps]
        found[sampler] = {
            figure(direction, way.steps): exam.score(direction, way)
            for direction in DIRECTIONS
            for way in ways
        }
    return found


def figure(direction: Direction, steps: int) -> str:
    """A row of the table."""
    return f"{direction.name}, {steps} steps"


def curves(found: Mapping[str, Figures], steps: Sequence[int]) -> dict[str, list[Line]]:
    """Direction → a line for every sampler."""
    return {
        direction.name: [
            Line(sampler, [(count, figures[figure(direction, count)]) for count in steps])
            for sampler, figures in found.items()
        ]
        for direction in DIRECTIONS
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path, help="a world with the run's streams")
    parser.add_argument("--steps", type=integers, default=[4, 8, 16, 32, 64], help="such as 4,8,16")
    parser.add_argument("--n", type=int, default=200, help="samples a direction")
    parser.add_argument("--plot", type=Path, default="samplers.png", help="where the picture goes")
    run(parser.parse_args())


def run(options: argparse.Namespace) -> None:
    """Measure, print and plot."""
    exam = Exam.of(api.load(options.run), options.folder, n=options.n)
    found = measure(exam, options.steps)
    publish([Target(name) for name in next(iter(found.values()))], found, options.json)
    chart(curves(found, options.steps), options.plot, x=Scale("steps", log=True), y=Scale(METRIC))


if __name__ == "__main__":
    main()
