"""Scores of a Restorer. Oracles: restorers whose answers are known, and closed forms."""

import math

import pytest
import torch
from torch import Tensor, nn

from modaloom.core.errors import BadValue
from modaloom.degradations.downsample import downsample
from modaloom.degradations.quantize_8bit import quantize_8bit
from modaloom.degradations.upsample import upsample
from modaloom.metrics.hf_energy_ratio import hf_energy
from modaloom.networks.local_resnet import LocalResNetConfig
from modaloom.restorer.config import RestorerConfig
from modaloom.restorer.evaluation.trials import RestorationCase, RestorationEvaluation
from modaloom.restorer.files import Restoration, RestorerPlan, build_restorer
from modaloom.restorer.inference import run_task
from modaloom.restorer.patch_ridge import PatchRidge
from modaloom.restorer.tasks import TASKS, Signals


def restoration(task: str, *, mean_prob: float = 0.8, **options: object) -> Restoration:
    """Its network says 0: the mean is the guess, moved by the scale's shift, which is 0."""
    config = RestorerConfig(local=LocalResNetConfig(4, 1), mean_prob=mean_prob, options=options)
    first = TASKS[task].make_example(
        Signals(picture(0)), TASKS[task].options(), torch.Generator().manual_seed(0)
    )
    plan = RestorerPlan(task, ("image",), "image", None).with_input_shape(first)
    found = Restoration(plan, config, build_restorer(plan, config, seed=0))
    found.restorer.eval()
    return found


def picture(seed: int) -> Tensor:
    return quantize_8bit(torch.rand(3, 16, 24, generator=torch.Generator().manual_seed(seed)))


CASES = [RestorationCase(str(i), Signals(picture(i))) for i in range(4)]


def rows(
    task: str, found: Restoration | None = None, train: list[RestorationCase] = CASES
) -> dict[tuple[str, str], object]:
    every = [
        row
        for t in RestorationEvaluation.of(found or restoration(task), train)
        for row in t.rows("test", CASES, [*map(t.trial, CASES)])
    ]
    return {(row.row, row.metric): row for row in every}


def test_the_figures_of_a_silent_network_are_those_of_the_guess() -> None:
    found = rows("jpeg")
    row = found["restore:jpeg", "psnr"]
    assert (row.value, row.n, row.split) == (row.floor, 4, "test")
    assert row.low < row.value < row.high
    assert row.baseline > row.floor
    jpeg = [TASKS["jpeg"].degrade(c.signals, TASKS["jpeg"].options(), torch.Generator()).input for c in CASES]
    errors = [(quantize_8bit(a) - c.signals.target).double().square().mean() for a, c in zip(jpeg, CASES)]
    assert row.value == pytest.approx(sum(-10 * math.log10(e) for e in errors) / 4, abs=1e-4)
    spec = TASKS["jpeg"].linear_filter(TASKS["jpeg"].options())
    ridge = PatchRidge.fit([(given, c.signals.target) for given, c in zip(jpeg, CASES)], spec)
    linear = [
        (quantize_8bit(ridge(a)) - c.signals.target).double().square().mean() for a, c in zip(jpeg, CASES)
    ]
    assert row.baseline == pytest.approx(sum(-10 * math.log10(e) for e in linear) / 4, abs=1e-4)


def test_a_silent_network_that_starts_from_a_filter_scores_as_the_filter() -> None:
    """The run's own, not the baseline's, which is fitted to other signals; floor and baseline stay."""
    plain = restoration("jpeg")
    examples = [plain.task.make_example(c.signals, plain.options, torch.Generator()) for c in CASES]
    found, before = rows("jpeg", plain.with_filters(examples)), rows("jpeg")
    row, other = found["restore:jpeg", "psnr"], before["restore:jpeg", "psnr"]
    assert row.value == row.baseline == other.baseline
    assert (row.floor, other.value) == (other.floor, other.floor)
    row = rows("jpeg", plain.with_filters(examples), train=CASES[:1])["restore:jpeg", "psnr"]
    assert row.value == other.baseline > row.baseline


def test_without_training_signals_there_is_no_linear_filter() -> None:
    assert rows("jpeg", train=[])["restore:jpeg", "psnr"].baseline is None


class Says(nn.Module):
    """Whatever is asked, the clean data is one signal: as v, which is −data where the state is all noise."""

    def __init__(self, restorer: nn.Module, data: Tensor) -> None:
        super().__init__()
        self.process, self.data, self.weight = restorer.process, data, nn.Parameter(torch.zeros(1))

    def forward(self, state: Tensor, t: Tensor, condition: Tensor, context: Tensor) -> Tensor:
        level = self.process.level(t, state)
        return (level.alpha * state - self.data) / level.sigma


def test_a_restorer_that_knows_the_answer_scores_as_the_truth() -> None:
    found = restoration("superres", consistent=False)
    want, small = picture(0), quantize_8bit(downsample(picture(0), factor=2))
    found.restorer.network = Says(found.restorer, want - upsample(small, factor=2))
    (trials,) = RestorationEvaluation.of(found, [])
    got = {row.metric: row for row in trials.rows("test", CASES[:1], [trials.trial(CASES[0])])}
    assert got["psnr"].value == 100
    assert got["hf_energy_ratio"].value == pytest.approx(1, abs=1e-3)
    assert got["consistency"].value == pytest.approx(0, abs=0.1)
    bicubic = upsample(small, factor=2).clamp(0, 1)
    assert got["hf_energy_ratio"].floor == pytest.approx(hf_energy(bicubic) / hf_energy(want), rel=1e-5)
    again = quantize_8bit(downsample(bicubic, factor=2)) - small
    assert got["consistency"].floor == pytest.approx(255 * float(again.square().mean().sqrt()), rel=1e-5)


def test_a_task_of_parts_has_rows_of_each_and_only_certain_ones_are_asked_again() -> None:
    found = rows("restore")
    faults = ("superres", "colorize", "inpaint", "denoise", "jpeg")
    assert {name for name, _ in found} == {f"restore:{fault}" for fault in faults}
    again = {name for name, metric in found if metric == "consistency"}
    assert again == {"restore:superres", "restore:colorize", "restore:jpeg"}


def test_what_is_made_from_nothing_has_no_mean() -> None:
    assert {metric for _, metric in rows("vary")} == {"hf_energy_ratio"}


@pytest.mark.parametrize(("mean_prob", "mode", "other"), [(0.0, "sample", "mean"), (1.0, "mean", "sample")])
def test_a_way_of_answering_that_is_not_learned_is_refused_and_not_scored(mean_prob, mode, other) -> None:
    found = restoration("jpeg", mean_prob=mean_prob)
    metrics = {metric for _, metric in rows("jpeg", found)}
    assert metrics == ({"hf_energy_ratio", "consistency"} if mode == "sample" else {"psnr", "ssim", "mse"})
    asked = found.restorer, found.task, Signals(input=picture(0)), found.options
    sampling = found.config.sampling
    usual = run_task(*asked, sampling=sampling, seed=3)
    assert torch.equal(usual, run_task(*asked, mode=mode, sampling=sampling, seed=3))
    with pytest.raises(BadValue, match=f"this run has learned no {other}; take --mode {mode}"):
        run_task(*asked, mode=other, sampling=sampling)


def test_fine_power_is_that_of_waves_faster_than_half_the_fastest() -> None:
    n = 32
    x = torch.arange(n) * (2 * math.pi / n)
    waves = {k: torch.sin(k * x + 0.3)[None, None].expand(1, n, n) for k in (3, 8, 9, 15)}
    power = {k: hf_energy(wave + 5) / (n * n) ** 2 for k, wave in waves.items()}
    assert power == pytest.approx({3: 0, 8: 0, 9: 0.5, 15: 0.5}, abs=1e-6)
    assert hf_energy(waves[9].transpose(1, 2)) == pytest.approx(hf_energy(waves[9]))
    assert hf_energy(torch.cat([waves[9], -waves[9]])) == pytest.approx(0, abs=1e-6)
    assert hf_energy(torch.sin(9 * x)[None]) / n**2 == pytest.approx(0.5, abs=1e-6)
