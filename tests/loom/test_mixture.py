"""Who is given and who is wanted: every question is asked, as often as the mixture says."""

import itertools
from collections import Counter
from dataclasses import replace

import pytest
import torch

from modaloom.core.distributed import SINGLE_PROCESS
from modaloom.core.errors import BadValue
from modaloom.core.types import CodeShape
from modaloom.loom.mixture import TrainingMixture, draw_kept, draw_noise, draw_streams

SHAPES = {"a": CodeShape((1,), 1, 4), "b": CodeShape((4, 4), 1, 4), "c": CodeShape((4, 4), 4, 4)}
N = 20_000
UNIFORM = TrainingMixture(joint_prob=1, full_noise_prob=0, noise_power=1)


def levels(config, present=None, n=N, seed=0):
    """float (n, S) noise levels in the order of `present`."""
    present = present or {name: torch.ones(n, dtype=torch.bool) for name in SHAPES}
    rows = SINGLE_PROCESS.rows(len(next(iter(present.values()))))
    drawn = draw_noise(SHAPES, present, config, torch.Generator().manual_seed(seed), rows)
    assert list(drawn) == list(present)
    return torch.stack([*drawn.values()], 1)


def test_given_streams_are_at_zero_and_wanted_ones_above_it_up_to_one():
    t = levels(TrainingMixture())
    assert t.dtype == torch.float32
    assert t.min() == 0
    assert t[t > 0].min() < 0.1
    assert t.max() == 1


def test_one_stream_is_wanted_but_in_the_joint_share_all_are():
    wanted = (levels(TrainingMixture(joint_prob=0.3)) > 0).sum(1)
    counts = Counter(wanted.tolist())
    assert set(counts) == {1, 3}
    assert counts[3] / N == pytest.approx(0.3, abs=0.015)


@pytest.mark.parametrize("power", [TrainingMixture().target_power, 0.0, 0.5])
def test_the_one_wanted_follows_a_power_of_its_codes(power):
    wanted = (levels(TrainingMixture(joint_prob=0, target_power=power)) > 0).float().mean(0)
    weights = torch.tensor([1, 16**power, 64**power])
    assert wanted.tolist() == pytest.approx((weights / weights.sum()).tolist(), abs=0.015)


def test_the_full_share_starts_from_nothing():
    t = levels(TrainingMixture(full_noise_prob=0.4))
    for column in t.T:
        assert float((column[column > 0] == 1).float().mean()) == pytest.approx(0.4, abs=0.02)
    assert (levels(TrainingMixture(full_noise_prob=1)) % 1 == 0).all()


def test_levels_are_stratified_over_the_batch_and_differ_by_stream():
    t = levels(UNIFORM, n=1000)
    assert t.min() > 0
    for column in t.T:
        assert column.sort().values.diff().numpy() == pytest.approx(1e-3, abs=1e-5)
        assert torch.histc(column, 10, 0, 1).tolist() == pytest.approx([100] * 10, abs=1)
    assert torch.corrcoef(t.T).triu(1).abs().max() < 0.1
    again, other = (levels(UNIFORM, n=1000, seed=s) for s in (0, 1))
    assert torch.equal(t, again)
    assert not torch.equal(t.sort(0).values, other.sort(0).values)


def test_a_power_below_one_draws_levels_nearer_to_noise():
    """t = u^p: P(t ≤ x) = x^(1/p)."""
    t = levels(replace(UNIFORM, noise_power=0.4), n=1000)
    for level in (0.3, 0.5, 0.8):
        assert (t <= level).float().mean(0).tolist() == pytest.approx([level**2.5] * 3, abs=2e-3)


def test_the_lowest_draw_is_still_a_wanted_one(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda *shape, generator: torch.zeros(shape))
    t = levels(UNIFORM, n=4)
    assert [column.sort().values.tolist() for column in t.T] == [[0.25, 0.5, 0.75, 1]] * 3


def test_small_batches_see_all_levels_too():
    t = torch.cat([levels(UNIFORM, n=4, seed=s)[:1] for s in range(500)])
    assert torch.histc(t, 5, 0, 1).tolist() == pytest.approx([300] * 5, abs=70)


def test_every_sample_wants_a_stream_that_it_has():
    draw = torch.Generator().manual_seed(1)
    here = torch.rand(N, 3, generator=draw) < 0.5
    t = levels(TrainingMixture(joint_prob=0), dict(zip(SHAPES, here.unbind(1))))
    has_any = here.any(1)
    assert ((t > 0) & here).any(1)[has_any].all()
    assert not ((t > 0) & ~here)[has_any].any()
    assert ((t > 0).sum(1) == has_any).all()


def test_a_stream_that_is_never_wanted_is_only_given():
    mixture = TrainingMixture(joint_prob=0.5, wanted=("a", "b"))
    here = {name: torch.rand(N, generator=torch.Generator().manual_seed(2)) < 0.5 for name in SHAPES}
    here["c"][:] = True
    t = levels(mixture, here)
    assert not t[:, 2].any()
    assert ((t > 0)[:, :2].any(1) == (here["a"] | here["b"])).all()


def test_a_sample_without_any_of_the_streams_is_no_error():
    nobody = {name: torch.zeros(8, dtype=torch.bool) for name in SHAPES}
    assert not levels(TrainingMixture(joint_prob=0), nobody).any()


def test_the_alone_share_has_one_stream_and_the_rest_every_larger_subset():
    draw = torch.Generator().manual_seed(0)
    drawn = Counter(tuple(draw_streams(SHAPES, TrainingMixture(uncond_prob=0.25), draw)) for _ in range(4000))
    assert set(drawn) == {s for count in (1, 2, 3) for s in itertools.combinations(SHAPES, count)}
    assert sum(n for s, n in drawn.items() if len(s) == 1) / 4000 == pytest.approx(0.25, abs=0.03)
    assert drawn[tuple(SHAPES)] / 4000 == pytest.approx(0.375, abs=0.03)
    assert drawn["c",] > drawn["b",] > drawn["a",]


def test_every_canvas_holds_a_wanted_stream():
    draw, mixture = torch.Generator().manual_seed(0), TrainingMixture(uncond_prob=0.2, wanted=("a", "b"))
    drawn = Counter(tuple(draw_streams(SHAPES, mixture, draw)) for _ in range(2000))
    assert set(drawn) == {("a",), ("b",), ("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c")}
    assert (drawn["a",] + drawn["b",]) / 2000 == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize(
    "bad", [{"joint_prob": 1.1}, {"full_noise_prob": -0.1}, {"uncond_prob": 2.0}, {"noise_power": 0.0}]
)
def test_values_out_of_range_are_named(bad):
    with pytest.raises(BadValue, match=next(iter(bad))):
        TrainingMixture(**bad)


def test_without_the_alone_share_no_canvas_holds_one_stream():
    draw = torch.Generator().manual_seed(0)
    assert all(len(draw_streams(SHAPES, TrainingMixture(uncond_prob=0), draw)) >= 2 for _ in range(300))


def test_a_single_stream_is_always_drawn():
    draw = torch.Generator().manual_seed(0)
    one = {"a": SHAPES["a"]}
    assert all(
        draw_streams(one, TrainingMixture(uncond_prob=a), draw) == ["a"]
        for a in (0, 0.5, 1)
        for _ in range(9)
    )


def kept(config, valid, row_size=1, seed=0):
    """bool (n, L) as `draw_kept`."""
    rows = SINGLE_PROCESS.rows(len(valid))
    return draw_kept(valid, row_size, config, torch.Generator().manual_seed(seed), rows)


def stretches(wanted):
    """int64 (n,): how many stretches of true values a row has."""
    begins = wanted & ~torch.nn.functional.pad(wanted, (1, 0))[:, :-1]
    return begins.sum(1)


def test_all_but_one_stretch_of_rows_is_kept_in_its_share():
    valid = torch.ones(N, 12, dtype=torch.bool)
    found = kept(TrainingMixture(kept_prob=0.4), valid, row_size=3)
    rows = found.view(N, 4, 3)
    assert (rows.all(2) == rows.any(2)).all()
    asked = rows[..., 0][found.any(1)]
    assert float(found.any(1).float().mean()) == pytest.approx(0.4 * (1 - 0.125 - 0.25 / 8), abs=0.015)
    assert (stretches(~asked) == 1).all()
    assert not kept(TrainingMixture(kept_prob=0), valid).any()


def test_every_stretch_is_wanted_and_in_half_of_them_all_that_comes_after():
    """P(first, last) = 1/n · (1/2 · [last = n] + 1/2 · 1/(n − first)), worked out by hand for n = 3."""
    found = kept(TrainingMixture(kept_prob=1), torch.ones(N, 3, dtype=torch.bool))
    counts = Counter(tuple((~row).nonzero().flatten().tolist()) for row in found)
    shares = {(0,): 1 / 18, (0, 1): 1 / 18, (0, 1, 2): 4 / 18, (1,): 1 / 12, (1, 2): 1 / 4, (2,): 1 / 3}
    assert counts.keys() == shares.keys()
    assert {key: counts[key] / N for key in shares} == pytest.approx(shares, abs=0.015)


def test_nothing_is_kept_beyond_the_end_of_a_sample():
    lengths = torch.arange(5).repeat(400)
    valid = torch.arange(8) < 2 * lengths[:, None]
    found = kept(TrainingMixture(kept_prob=1), valid, row_size=2)
    assert not (found & ~valid).any()
    assert (found.sum(1) < 2 * lengths.clamp_min(0.5)).all()
    assert found[lengths == 4].any(0)[:6].all()
