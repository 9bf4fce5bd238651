"""The weight of a correction is what it is worth on a smaller copy."""

import pytest
import torch
from torch import Tensor, nn

from modaloom.core.rng import generator
from modaloom.diffusion.gaussian import VariancePreserving
from modaloom.diffusion.prediction import PREDICTIONS
from modaloom.restorer.config import RestorerConfig
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.inference import run_task
from modaloom.restorer.restorer import Restorer
from modaloom.restorer.self_calibration import Predict, trust
from modaloom.restorer.tasks import TASKS
from modaloom.restorer.tasks.base import Signals
from modaloom.restorer.tasks.superres import SuperRes

TASK, OPTIONS = TASKS["superres"], SuperRes(consistent=False)


def picture(side: int) -> Tensor:
    """Neither black nor white, so that nothing is clamped."""
    return 0.4 + 0.2 * torch.rand(3, side, side, generator=generator(0))


def scaled_truth(low: Tensor, scale: float) -> Predict:
    """`scale` times the correction that is right on the smaller copy of `low`."""

    def predict(example: ConditionalExample) -> Tensor:
        return scale * (low - TASK.estimate(example))

    return predict


@pytest.mark.parametrize(("scale", "weight"), [(1, 1), (2, 0.5), (4, 0.25), (-1, 0), (0.5, 1), (0, 1)])
def test_the_least_squares_weight(scale: float, weight: float) -> None:
    low = picture(64)
    assert trust(scaled_truth(low, scale), TASK, [Signals(input=low)], OPTIONS) == pytest.approx(
        weight, abs=1e-4
    )


def test_an_independent_correction_has_no_weight() -> None:
    low = picture(64)

    def predict(example: ConditionalExample) -> Tensor:
        right = (low - TASK.estimate(example)).flatten()
        noise = 0.01 * torch.randn(right.shape, generator=generator(1))
        return (noise - right * (noise @ right) / (right @ right)).reshape(low.shape)

    assert trust(predict, TASK, [Signals(input=low)], OPTIONS) == pytest.approx(0, abs=1e-3)


def test_what_is_black_does_not_decide() -> None:
    """By itself it would: whatever a network adds to it is wrong."""
    low = picture(64)
    black = Signals(input=torch.zeros_like(low))

    def predict(example: ConditionalExample) -> Tensor:
        is_black = not TASK.estimate(example).any()
        return torch.full_like(low, 1e-3) if is_black else scaled_truth(low, 2)(example)

    assert trust(predict, TASK, [black], OPTIONS) == pytest.approx(0, abs=1e-3)
    assert trust(predict, TASK, [black, Signals(input=low), black], OPTIONS) == pytest.approx(0.5, abs=0.01)


def test_small_pictures_and_other_tasks_have_no_smaller_copy() -> None:
    tiny = picture(31)
    assert trust(scaled_truth(tiny, 2), TASK, [Signals(input=tiny)], OPTIONS) == 1
    task = TASKS["denoise"]
    assert task.smaller(Signals(input=picture(64)), task.options()) is None


@pytest.mark.parametrize("size", [(65, 64), (33, 70)])
def test_odd_sides(size: tuple[int, int]) -> None:
    low = picture(80)[:, : size[0], : size[1]]
    known = TASK.smaller(Signals(input=low), OPTIONS)
    assert known is not None
    assert known.target is not None
    assert known.input is not None
    assert [2 * side for side in known.input.shape[1:]] == [*known.target.shape[1:]]


def test_the_mean_is_weighted(monkeypatch: pytest.MonkeyPatch) -> None:
    low, process = picture(64), VariancePreserving()
    restorer = Restorer(nn.Identity(), process, PREDICTIONS["v"], num_tasks=1, mean_prob=1.0)
    seen: list[float] = []

    def mean(example: ConditionalExample) -> Tensor:
        wrong = torch.full_like(example.target, 0.1)
        seen.append(float(wrong.sum()))
        return wrong

    monkeypatch.setattr(restorer, "mean", mean)
    made = run_task(
        restorer, TASK, Signals(input=low), OPTIONS, mode="mean", sampling=RestorerConfig("superres").sampling
    )
    example = TASK.build_condition(Signals(input=low), OPTIONS)
    base = TASK.finalize(torch.zeros_like(example.target), example, Signals(input=low), OPTIONS)
    assert len(seen) == 2
    assert (made - base).abs().max() < 0.01
