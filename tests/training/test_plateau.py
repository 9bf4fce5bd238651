"""When a stage has learned enough."""

import pytest

from modaloom.training.plateau import MAX_ERROR, has_flattened, is_due, is_enough, logged_errors


def test_the_error_is_taken_at_growing_intervals() -> None:
    steps = [step for step in range(1, 600) if is_due(step)]
    assert steps == [64, 76, 91, 108, 128, 152, 181, 215, 256, 304, 362, 431, 512]


@pytest.mark.parametrize(("power", "flat"), [(1.2, False), (0.54, False), (0.49, True), (0.0, True)])
def test_a_doubling_must_take_nearly_a_third_of_the_error(power: float, flat: bool) -> None:
    """error = steps^−power: a doubling leaves 2^−power of it, 0.7 at a power of 0.515."""
    errors = {step: step**-power for step in range(64, 1025) if is_due(step)}
    assert has_flattened(errors, 1024) is flat
    assert has_flattened(errors, 181) is flat


def test_the_first_error_says_nothing() -> None:
    assert not has_flattened({64: 1.0}, 64)
    assert not has_flattened({64: 1.0, 91: 1.0}, 91)
    assert has_flattened({64: 1.0, 91: 1.0, 128: 1.0}, 128)


@pytest.mark.parametrize(("error", "enough"), [(MAX_ERROR, True), (1.1 * MAX_ERROR, False)])
def test_a_small_error_is_enough_however_it_falls(error: float, enough: bool) -> None:
    """Each doubling takes half of it."""
    errors = {256: 2 * error, 512: error}
    assert is_enough(errors, 512) is enough


def test_errors_come_back_from_the_log() -> None:
    records = [
        {"stage": "image", "step": 64, "val.error": 0.5},
        {"stage": "image", "step": 64, "loss": 1.0},
        {"stage": "loom", "step": 64, "val.error": 0.1},
    ]
    assert logged_errors(records, "image") == {64: 0.5}
