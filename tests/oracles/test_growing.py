"""Codebook growth against a second implementation of it, code by code and vector by vector in float64."""

import copy
import io
import math

import pytest
import torch
from draws import normal, seeded
from torch import Tensor

from modaloom.quantizers import VQ, GrowthConfig, Residual, build
from modaloom.quantizers.growing import SPREAD_INIT_SCALE

DECAY, BALANCE = 0.8, 0.4


def growing(dim: int, size: int, **growth: float) -> VQ:
    return build("vq", dim, size, growth=GrowthConfig(**growth), decay=DECAY, dead_code_threshold=0)


class Ledger:
    """What a growing EMA codebook of few codes has to hold, from the definitions alone."""

    def __init__(self, vq: VQ) -> None:
        book = vq.codebook
        self.used, self.schedule = book.used, book.growth
        self.code, self.count, self.spread = (
            [row.double() for row in rows.clone()] for rows in (book.vectors, book.count, book.spread)
        )
        self.error, self.variance, self.batches = [0.0] * len(self.code), 0.0, 0

    def learn(self, z: Tensor, draws: torch.Generator) -> list[int]:
        """Then: the codes that z chose."""
        z = z.double()
        chosen = [min(range(self.used), key=lambda k: float((row - self.code[k]).norm())) for row in z]
        moved = 1 - DECAY
        for k in range(self.used):
            members = [row for row, code in zip(z, chosen) if code == k]
            offsets = [row - self.code[k] for row in members]
            axis = self.spread[k] / self.spread[k].norm()
            self.error[k] += moved * (sum(float(d @ d) for d in offsets) - self.error[k])
            along = sum((d * (d @ axis) for d in offsets), torch.zeros_like(axis))
            self.spread[k] = self.spread[k] + moved * (along - self.spread[k])
            self.count[k] = self.count[k] + moved * (len(members) - self.count[k])
            self.code[k] = self.code[k] + moved * sum(offsets, torch.zeros_like(axis)) / self.count[k]
        self.variance += moved * (sum(float((row - z.mean(0)).square().sum()) for row in z) - self.variance)
        self.batches += 1
        self._grow(draws)
        return chosen

    def _grow(self, draws: torch.Generator) -> None:
        goal = int(self.schedule.initial_codes * 2 ** (self.batches / self.schedule.doubling_steps))
        n = min(goal, len(self.code)) - self.used
        if n <= 0:
            return
        counts, errors = float(sum(self.count)), sum(self.error)
        worth = [
            BALANCE * e / errors + (1 - BALANCE) * float(c) / counts for e, c in zip(self.error, self.count)
        ]
        worthiest = sorted(range(self.used), key=lambda k: -worth[k])[:n]
        lengths = [float(self.spread[k].norm()) for k in worthiest]
        pairs = list(zip(worthiest, range(self.used, self.used + n)))
        most = 0.4 * counts / (self.used + n)
        for (old, new), length in zip(pairs, lengths):
            deviation = math.sqrt(length / float(self.count[old]))
            step = 0.5 * deviation * self.spread[old] / length
            self.code[old], self.code[new] = self.code[old] + step, self.code[old] - step
            self.count[old] = self.count[new] = min(self.count[old] / 2, torch.tensor(most).double())
            self.error[old] = self.error[new] = self.error[old] / 2
        for side in (0, 1):
            random = torch.randn((n, len(self.code[0])), generator=draws).double()
            for pair, length, row in zip(pairs, lengths, random):
                self.spread[pair[side]] = SPREAD_INIT_SCALE * length * row / row.norm()
        self.used += n


def test_it_is_what_its_definition_says_batch_by_batch() -> None:
    """25 batches from 3 to 16 codes: vectors, counts, errors and spreads, and which codes split."""
    vq = growing(3, 16, initial_codes=3, doubling_steps=8, error_weight=BALANCE)
    scale = torch.tensor([3.0, 1.0, 0.5])
    start = normal(80, 3, seed=1000) * scale
    vq.codebook.start(start, seeded())
    ledger, sizes = Ledger(vq), set()
    for batch in range(25):
        z = normal(80, 3, seed=batch) * scale + batch / 20
        out = vq(z, generator=seeded(batch))
        assert out.codes[:, 0].tolist() == ledger.learn(z, seeded(batch))
        sizes.add(vq.codebook.used)
        assert vq.codebook.used == ledger.used
        for found, expected in (
            (vq.codebook.vectors, torch.stack(ledger.code)),
            (vq.codebook.count, torch.stack(ledger.count)),
            (vq.codebook.error, torch.tensor(ledger.error)),
            (vq.codebook.spread, torch.stack(ledger.spread)),
            (vq.codebook.variance, torch.tensor(ledger.variance)),
        ):
            if found.ndim:
                found, expected = found[: ledger.used], expected[: ledger.used]
            torch.testing.assert_close(found.double(), expected.double(), rtol=1e-4, atol=1e-4)
    assert len(sizes) > 8


def test_a_split_changes_no_other_code_and_keeps_the_error() -> None:
    """Five of eight split at once, the worthiest into the first new number; the rest stays bit for bit."""
    book = growing(2, 32, initial_codes=8, doubling_steps=1, error_weight=BALANCE).codebook
    book.vectors[:8] = normal(8, 2)
    book.count[:8], book.error[:8] = torch.rand(8, generator=seeded(1)), torch.rand(8, generator=seeded(2))
    book.spread[:8] = normal(8, 2, seed=3)
    before = copy.deepcopy(book)
    worth = BALANCE * book.error / book.error.sum() + (1 - BALANCE) * book.count / book.count.sum()
    split = worth[:8].argsort(descending=True)[:5]
    others = sorted({*range(8)} - {*split.tolist()})
    book._split(5, seeded())
    for name in ("vectors", "count", "error", "spread"):
        assert torch.equal(getattr(book, name)[others], getattr(before, name)[others])
        assert not getattr(book, name)[13:].any()
    for new, old in enumerate(split.tolist(), 8):
        middle = (book.vectors[old] + book.vectors[new]) / 2
        torch.testing.assert_close(middle, before.vectors[old])
        assert not torch.equal(book.vectors[old], book.vectors[new])
        expected = min(float(before.count[old]) / 2, 0.4 * float(before.count.sum()) / 13)
        assert book.count[[old, new]].tolist() == pytest.approx([expected] * 2)
        assert book.error[[old, new]].tolist() == [float(before.error[old]) / 2] * 2
    assert {*book.count[split].tolist()} != {*(before.count[split] / 2).tolist()}
    torch.testing.assert_close(book.error.sum(), before.error.sum())


def test_codes_that_are_not_in_use_are_neither_chosen_nor_revived() -> None:
    """They wait at zero, which is where all of this data lies: any of them would be the nearest code."""
    vq = build(
        "vq",
        2,
        64,
        growth=GrowthConfig(initial_codes=2, doubling_steps=10_000),
        dead_code_threshold=1.0,
        max_restart_fraction=1.0,
    )
    vq(normal(64, 2) + 30, generator=seeded())
    for step in range(5):
        z = 0.01 * normal(64, 2, seed=step)
        assert vq.eval()(z).codes.max() < 2
        assert vq.train()(z, generator=seeded(step)).codes.max() < 2
        assert not vq.vectors[0, 2:].any()
        assert not vq.codebook.count[2:].any()


def test_beyond_the_target_it_grows_no_more_until_the_data_changes() -> None:
    """150 batches near four points, where four codes lose 4e-5 of the variance; then eight, far apart."""
    vq, used = growing(2, 64, initial_codes=1, doubling_steps=10, target_distortion=1e-2), []
    points = torch.tensor([[a, b] for a in (-2.0, -1.0, 1.0, 2.0) for b in (-1.0, 1.0)])
    for batch in range(150):
        vq(points[:4].repeat(16, 1) + 0.005 * normal(64, 2, seed=batch), generator=seeded(batch))
        used.append(vq.codebook.used)
    assert 4 <= used[-1] == used[75] < 20
    for batch in range(10):
        vq(9 * points.repeat(8, 1) + normal(64, 2, seed=batch), generator=seeded(batch))
    assert vq.codebook.used > used[-1]


@pytest.mark.parametrize("target", [0.0, 0.5])
def test_data_that_nothing_is_lost_of_asks_for_no_codes(target: float) -> None:
    """One vector, again and again: the error is zero, and so is what any target allows."""
    vq = growing(3, 16, initial_codes=2, doubling_steps=1, target_distortion=target)
    for step in range(6):
        vq(torch.ones(20, 3), generator=seeded(step))
    assert vq.codebook.used == 2


@pytest.mark.parametrize("stop", [0, 1, 6, 11])
def test_saved_while_growing_and_loaded_it_goes_on_to_the_same_bits(stop: int) -> None:
    """A residual of two, stopped before its start, at it, while it grows and after."""
    options = {"growth": GrowthConfig(initial_codes=2, doubling_steps=3), "decay": DECAY}
    straight, file = build("vq", 3, 16, 2, **options), io.BytesIO()
    for step in range(20):
        if step == stop:
            torch.save(straight.state_dict(), file)
        straight(normal(60, 3, seed=step), generator=seeded(step))
    file.seek(0)
    resumed = build("vq", 3, 16, 2, **options)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    for step in range(stop, 20):
        resumed(normal(60, 3, seed=step), generator=seeded(step))
    assert isinstance(straight, Residual)
    assert [stage.codebook.used for stage in straight.stages] == [16, 16]
    for a, b in zip(straight.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b)
