"""The overfitting warning."""

from modaloom.evaluation import overfitting


def lines(validation, training, stream="image"):
    log = []
    for step, (held_out, seen) in enumerate(zip(validation, training)):
        log += [
            {"step": 100 * step, f"loss.bits.{stream}": seen},
            {"step": 100 * step, f"val.bits.{stream}": held_out, "val.bits_alone.caption": 9.0 * step},
        ]
    return log


FALLING = [5.0, 4.0, 3.0, 2.0, 1.0]


def test_rising_while_training_falls():
    warning = overfitting(lines([5, 4, 4.5, 4.6, 4.7], FALLING))
    assert warning.startswith(
        "image overfits: its validation bits per code rose from 4.000 at step 100 to 4.700"
    )


def test_no_warning_without_both():
    assert overfitting(lines([5, 4, 3.9, 3.8, 3.85], FALLING)) is None  # within the noise
    assert overfitting(lines([5, 4, 4.5, 4.6, 4.7], FALLING[::-1])) is None  # training rises as well
    assert overfitting(lines([5, 4, 4.9, 4.5, 4.0], FALLING)) is None  # it recovered
    assert overfitting(lines([4, 5, 5], FALLING)) is None  # too few validations
    early = [{**line, "step": line["step"] // 10} for line in lines([5, 4, 4.5, 4.6, 4.7], FALLING)]
    assert overfitting(early) is None  # after 40 steps
    assert overfitting([]) is None
    assert overfitting([{"step": 1, "val.bits.image": 3.0}]) is None


def test_figures_that_were_not_finite_are_none():
    log = lines([5, 4, 4.5, 4.6, 4.7], FALLING)
    assert overfitting([*log, {"step": 450, "val.bits.image": None, "loss.bits.image": None}])


def test_a_stream_with_a_dot_in_its_name():
    assert "image.gray overfits" in overfitting(lines([5, 4, 5, 5, 5], FALLING, stream="image.gray"))
