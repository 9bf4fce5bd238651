"""The learning rate's schedule, by hand."""

import pytest

from modaloom.core.errors import BadValue
from modaloom.runs.config import OptimizerConfig, TrainingConfig
from modaloom.runs.config_io import from_plain, to_plain
from modaloom.runs.schedule import PEAK, Schedule, trapezoid


def shares(schedule: Schedule) -> list[float]:
    return [schedule.share(step) for step in range(schedule.total)]


def test_a_decay_is_taken_back_by_the_peak() -> None:
    """Decays to half until step 6, is at the peak until step 40, and falls to 0 at step 101."""
    early = Schedule(1, ((2, 11),))
    late = early.refit(6, 100, decay=0.6)
    assert late.decays == ((2, 11), (6, PEAK), (41, 101))
    assert [late.share(step) for step in range(6)] == [early.share(step) for step in range(6)]
    assert [late.share(step) for step in (6, 39, 40)] == [1, 1, 1]
    assert late.share(70) == pytest.approx((101 - 71) / (101 - 41))
    assert [late.decaying(done) for done in (1, 2, 5, 6, 40, 41)] == [False, True, True, False, False, True]
    assert late.progress(10) == 0
    assert late.refit(50, 120, decay=0.6).decays == ((2, 11), (6, PEAK), (41, 101), (50, 121))
    assert late.fall(30, decay=0.5).decays == ((2, 11), (6, PEAK), (30, 61))


@pytest.mark.parametrize("decays", [((2, 11), (6, 0)), ((0, 0), (3, 9)), ((4, 3),)])
def test_decays_that_cannot_be(decays: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(BadValue, match="decays are"):
        Schedule(1, decays)


def test_rise_plateau_and_fall() -> None:
    """10 steps: a fifth rises, the last half falls to 0 one step after the end."""
    schedule = trapezoid(10, warmup=0.2, decay=0.5)
    assert schedule == Schedule(2, ((6, 11),))
    assert shares(schedule) == pytest.approx([0.5, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2])


@pytest.mark.parametrize("total", [1, 2, 10, 1000])
@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.3, 1.0])
def test_a_fall_of_all_that_is_left(total: int, warmup: float) -> None:
    """decay 1: two straight lines through 0, 1 at the end of the rise, and 0 one step after the last."""
    rising = max(1, round(warmup * total))
    falling = [1 - (i - rising + 1) / (total - rising + 1) for i in range(rising, total)]
    found = shares(trapezoid(total, warmup=warmup, decay=1.0))
    assert found == pytest.approx([(i + 1) / rising for i in range(rising)] + falling)
    assert min(found) > 0


def test_more_steps_before_the_fall_move_it() -> None:
    schedule = trapezoid(10, warmup=0.2, decay=0.5).refit(4, 20, 0.5)
    assert schedule == Schedule(2, ((11, 21),))


def test_fewer_steps_before_the_fall_begin_it_at_once() -> None:
    schedule = trapezoid(100, warmup=0.02, decay=0.5).refit(40, 44, 0.5)
    assert schedule == Schedule(2, ((40, 45),))
    assert shares(schedule)[39:] == pytest.approx([1, 0.8, 0.6, 0.4, 0.2])


def test_a_fall_is_aimed_anew_and_what_was_done_stays_the_same_bits() -> None:
    """From 0.6 after 2 of its 5 steps, over 6 more that end at 0."""
    first = Schedule(2, ((6, 11),))
    schedule = first.refit(8, 13, 0.5)
    assert schedule == Schedule(2, ((6, 11), (8, 14)))
    assert shares(schedule)[:8] == shares(first)[:8]
    assert shares(schedule)[8:] == pytest.approx([0.5, 0.4, 0.3, 0.2, 0.1])
    again = schedule.refit(10, 11, 0.5)
    assert again.decays == ((6, 11), (8, 14), (10, 12))
    assert shares(again)[:10] == shares(schedule)[:10]
    assert shares(again)[10:] == pytest.approx([0.2])


def test_an_aim_that_was_never_followed_is_forgotten() -> None:
    schedule = Schedule(2, ((6, 11), (8, 14)))
    assert schedule.refit(7, 9, 0.5).decays == ((6, 11), (7, 10))


def test_a_fall_that_begins_now() -> None:
    assert trapezoid(100, warmup=0.1, decay=0.6).fall(20, 0.6) == Schedule(10, ((20, 51),))
    assert Schedule(10, ((20, 51),)).decaying(20)
    assert not Schedule(10, ((20, 51),)).decaying(19)


def test_a_fall_within_the_rise_starts_where_it_was() -> None:
    assert shares(Schedule(10, ((5, 8),))) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 1 / 3, 1 / 6])


@pytest.mark.parametrize("decays", [(), ((5, 5),), ((5, 9), (5, 8)), ((0, 4),)])
def test_what_is_no_schedule(decays: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(BadValue, match="0 < begin < end"):
        Schedule(1, decays)


def test_a_recorded_schedule_holds_for_its_own_steps() -> None:
    recorded = Schedule(2, ((6, 11), (8, 14)))
    config = TrainingConfig(steps={"loom": 13}, schedule={"loom": recorded})
    assert from_plain(TrainingConfig, to_plain(config)) == config
    optimizer = OptimizerConfig(warmup=0.1, decay=0.5)
    assert config.schedule_of("loom", optimizer) == recorded
    other = TrainingConfig(steps={"loom": 20}, schedule={"loom": recorded})
    assert other.schedule_of("loom", optimizer) == Schedule(2, ((11, 21),))


def test_progress_is_known_from_the_decay_on() -> None:
    schedule = trapezoid(20, warmup=0.1, decay=0.5)
    assert [schedule.progress(done) for done in (0, 10)] == [0, 0]
    assert [schedule.progress(done) for done in (11, 15, 20)] == [0.55, 0.75, 1]


def test_progress_that_has_been_made_does_not_change() -> None:
    """Whatever ends are planned later: steps so far are as far as they were."""
    schedule = trapezoid(20, warmup=0.1, decay=0.5)
    for done, total in ((15, 30), (18, 25), (18, 34), (22, 24)):
        before = [schedule.progress(step) for step in range(done)]
        schedule = schedule.refit(done, total, 0.5)
        assert [schedule.progress(step) for step in range(done)] == before
        assert schedule.progress(done) == done / total
        assert schedule.progress(total) == 1
