"""Scores of a Restorer. Oracles: restorers whose answers are known, and closed forms."""

import math

import pytest
import torch
from torch import Tensor, nn

from modaloom.core.errors import BadValue
from modaloom.degradations.eight_bits import eight_bits
from modaloom.degradations.larger import larger
from modaloom.degradations.smaller import smaller
from modaloom.evaluation.restored import Case, Trials
from modaloom.evaluation.ridge import PatchRidge
from modaloom.metrics.fine import fine_power
from modaloom.models.restoration import RestorerConfig
from modaloom.networks.local import LocalConfig
from modaloom.runs.restorers import Restoration, RestorerPlan, build_restorer
from modaloom.tasks import TASKS, Signals
from modaloom.tasks.asking import answered


def restoration(task: str, *, means: float = 0.8, **options: object) -> Restoration:
    """Its network says 0: the mean is the guess, moved by the scale's shift, which is 0."""
    config = RestorerConfig(local=LocalConfig(4, 1), means=means, options=options)
    first = TASKS[task].pair(Signals(picture(0)), TASKS[task].options(), torch.Generator().manual_seed(0))
    plan = RestorerPlan(task, ("image",), "image", None).asking(first)
    found = Restoration(plan, config, build_restorer(plan, config, seed=0))
    found.restorer.eval()
    return found


def picture(seed: int) -> Tensor:
    return eight_bits(torch.rand(3, 16, 24, generator=torch.Generator().manual_seed(seed)))


CASES = [Case(str(i), Signals(picture(i))) for i in range(4)]


def rows(
    task: str, found: Restoration | None = None, train: list[Case] = CASES
) -> dict[tuple[str, str], object]:
    every = [row for t in Trials.of(found or restoration(task), train) for row in t.rows("test", CASES)]
    return {(row.row, row.metric): row for row in every}


def test_the_figures_of_a_silent_network_are_those_of_the_guess() -> None:
    found = rows("jpeg")
    row = found["restore:jpeg", "psnr"]
    assert (row.value, row.n, row.split) == (row.floor, 4, "test")
    assert row.low < row.value < row.high
    assert row.baseline > row.floor
    jpeg = [TASKS["jpeg"].degrade(c.signals, TASKS["jpeg"].options(), torch.Generator()).given for c in CASES]
    errors = [(eight_bits(a) - c.signals.want).double().square().mean() for a, c in zip(jpeg, CASES)]
    assert row.value == pytest.approx(sum(-10 * math.log10(e) for e in errors) / 4, abs=1e-4)
    ridge = PatchRidge.fit([(given, c.signals.want) for given, c in zip(jpeg, CASES)], step=2)
    linear = [(eight_bits(ridge(a)) - c.signals.want).double().square().mean() for a, c in zip(jpeg, CASES)]
    assert row.baseline == pytest.approx(sum(-10 * math.log10(e) for e in linear) / 4, abs=1e-4)


def test_without_training_signals_there_is_no_linear_filter() -> None:
    assert rows("jpeg", train=[])["restore:jpeg", "psnr"].baseline is None


class Says(nn.Module):
    """Whatever is asked, the clean data is one signal: as v, which is −data where the state is all noise."""

    def __init__(self, restorer: nn.Module, data: Tensor) -> None:
        super().__init__()
        self.process, self.data, self.weight = restorer.process, data, nn.Parameter(torch.zeros(1))

    def forward(self, state: Tensor, t: Tensor, condition: Tensor, context: Tensor) -> Tensor:
        level = self.process.level(t, state)
        return (level.signal * state - self.data) / level.noise


def test_a_restorer_that_knows_the_answer_scores_as_the_truth() -> None:
    found = restoration("superres", consistent=False)
    want, small = picture(0), eight_bits(smaller(picture(0), factor=2))
    found.restorer.network = Says(found.restorer, want - larger(small, factor=2))
    (trials,) = Trials.of(found, [])
    got = {row.metric: row for row in trials.rows("test", CASES[:1])}
    assert got["psnr"].value == 100
    assert got["sample.fine"].value == pytest.approx(1, abs=1e-3)
    assert got["consistency"].value == pytest.approx(0, abs=0.1)
    bicubic = larger(small, factor=2).clamp(0, 1)
    assert got["sample.fine"].floor == pytest.approx(fine_power(bicubic) / fine_power(want), rel=1e-5)
    again = eight_bits(smaller(bicubic, factor=2)) - small
    assert got["consistency"].floor == pytest.approx(255 * float(again.square().mean().sqrt()), rel=1e-5)


def test_a_task_of_parts_has_rows_of_each_and_only_certain_ones_are_asked_again() -> None:
    found = rows("restore")
    faults = ("superres", "colorize", "inpaint", "denoise", "jpeg")
    assert {name for name, _ in found} == {f"restore:{fault}" for fault in faults}
    again = {name for name, metric in found if metric == "consistency"}
    assert again == {"restore:superres", "restore:colorize", "restore:jpeg"}


def test_what_is_made_from_nothing_has_no_mean() -> None:
    assert {metric for _, metric in rows("vary")} == {"sample.fine"}


@pytest.mark.parametrize(("means", "mode", "other"), [(0.0, "sample", "mean"), (1.0, "mean", "sample")])
def test_a_way_of_answering_that_is_not_learned_is_refused_and_not_scored(means, mode, other) -> None:
    found = restoration("jpeg", means=means)
    metrics = {metric for _, metric in rows("jpeg", found)}
    assert metrics == ({"sample.fine", "consistency"} if mode == "sample" else {"psnr", "ssim", "mse"})
    asked = found.restorer, found.task, Signals(given=picture(0)), found.options
    drawing = found.config.drawing
    usual = answered(*asked, drawing=drawing, seed=3)
    assert torch.equal(usual, answered(*asked, mode=mode, drawing=drawing, seed=3))
    with pytest.raises(BadValue, match=f"this run has learned no {other}; take --mode {mode}"):
        answered(*asked, mode=other, drawing=drawing)


def test_fine_power_is_that_of_waves_faster_than_half_the_fastest() -> None:
    n = 32
    x = torch.arange(n) * (2 * math.pi / n)
    waves = {k: torch.sin(k * x + 0.3)[None, None].expand(1, n, n) for k in (3, 8, 9, 15)}
    power = {k: fine_power(wave + 5) / (n * n) ** 2 for k, wave in waves.items()}
    assert power == pytest.approx({3: 0, 8: 0, 9: 0.5, 15: 0.5}, abs=1e-6)
    assert fine_power(waves[9].transpose(1, 2)) == pytest.approx(fine_power(waves[9]))
    assert fine_power(torch.cat([waves[9], -waves[9]])) == pytest.approx(0, abs=1e-6)
    assert fine_power(torch.sin(9 * x)[None]) / n**2 == pytest.approx(0.5, abs=1e-6)
