"""Pieces against a picture whose pixels say where they are."""

from functools import partial

import numpy as np
import pytest
import torch

from modaloom.modalities import MODALITIES
from modaloom.modalities.unit import array_to_unit
from modaloom.transforms.crop import detail, random_crops

TO_UNIT = partial(array_to_unit, MODALITIES["image"], {})


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def mapped(height: int, width: int) -> np.ndarray:
    """Red is the row, green the column."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, 0 * rows]).astype(np.uint8)


def cut(signals: list[np.ndarray], *, side: int = 8, scales: int = 1, seed: int = 0) -> list[torch.Tensor]:
    found = random_crops(
        signals,
        [TO_UNIT] * len(signals),
        side=side,
        scales=scales,
        candidates=1,
        generator=random(seed),
    )
    return [(2550 * x).round() / 10 for x in found]


def steps(piece: torch.Tensor) -> set[tuple[float, float]]:
    """How far row and column go from each pixel to the next one on its right and the one below."""
    down, right = piece[:2].diff(dim=1), piece[:2].diff(dim=2)
    return {tuple(v.round().tolist()) for d in (down, right) for v in d.flatten(1).T}


def test_a_piece_is_a_turned_or_mirrored_stretch_from_anywhere() -> None:
    found = [cut([mapped(10, 12)], seed=seed)[0] for seed in range(200)]
    assert {(int(p[0].min()), int(p[1].min())) for p in found} == {(r, c) for r in range(3) for c in range(5)}
    assert all(p[0].max() - p[0].min() == p[1].max() - p[1].min() == 7 for p in found)
    assert len({tuple(sorted(steps(p))) for p in found}) == 4
    corners = {(*(p[:2, 0, 0] > p[:2, -1, -1]).tolist(), bool(p[0, 0, 0] == p[0, 0, -1])) for p in found}
    assert len(corners) == 8


def test_signals_of_a_row_are_cut_alike() -> None:
    for seed in range(20):
        a, b = cut([mapped(20, 30), 255 - mapped(20, 30)], seed=seed, scales=2)
        torch.testing.assert_close(a, 255 - b)


def test_larger_stretches_are_box_filtered() -> None:
    found = [cut([mapped(40, 40)], scales=3, seed=seed)[0] for seed in range(100)]
    sizes = [max(abs(x) for step in steps(p) for x in step) for p in found]
    assert {sizes.count(size) > 15 for size in (1, 2, 4)} == {True}
    assert set(sizes) == {1, 2, 4}
    double = next(p for p, size in zip(found, sizes) if size == 2)
    assert float(double[0].min() % 1) == pytest.approx(0.5, abs=1e-4)


def test_a_small_signal_is_padded_with_its_last_values_at_its_own_scale() -> None:
    for seed in range(20):
        (piece,) = cut([mapped(3, 8)], scales=3, seed=seed)
        assert piece.shape == (3, 8, 8)
        assert sorted(piece[0].unique().tolist()) == pytest.approx([0, 1, 2], abs=1e-4)
        assert int((piece[0].round() == 2).sum()) == 6 * 8


def test_one_axis_is_never_mirrored_nor_made_smaller() -> None:
    """A sound of half of its length is another sound."""
    ramp = np.arange(100, dtype=np.uint8)[None]
    for seed in range(20):
        (piece,) = random_crops([ramp], [TO_UNIT], side=9, scales=2, candidates=1, generator=random(seed))
        torch.testing.assert_close(piece.diff() * 255, torch.ones(1, 8))


def test_frames_of_clips_are_cut_alike_and_time_is_never_made_smaller() -> None:
    """Red is the frame, green the row: both rise by 1 or 2, 4 pixels where the crop is a smaller one."""
    frame, row, column = np.mgrid[:9, :40, :40]
    clip = np.stack([frame, row, column]).astype(np.uint8)
    scales = set()
    for seed in range(40):
        (piece,) = random_crops(
            [clip], [TO_UNIT], side=8, frames=4, scales=3, candidates=1, generator=random(seed)
        )
        assert piece.shape == (3, 4, 8, 8)
        time, *space = piece * 255
        torch.testing.assert_close(time.diff(dim=0), torch.ones(3, 8, 8), atol=1e-3, rtol=0)
        torch.testing.assert_close(torch.stack(space).diff(dim=1), torch.zeros(2, 3, 8, 8), atol=1e-3, rtol=0)
        scales.add(round(float(space[0].max() - space[0].min()) / 7))
    assert scales == {1, 2, 4}
    (short,) = random_crops(
        [clip[:, :2]], [TO_UNIT], side=8, frames=4, scales=1, candidates=1, generator=random(0)
    )
    torch.testing.assert_close(short[0, :, 0, 0] * 255, torch.tensor([0.0, 1, 1, 1]))


def test_of_the_candidates_the_one_with_most_detail_is_taken() -> None:
    """A picture that is even but for a tenth of it: one stretch in ten has detail in it."""
    rough = np.full((3, 16, 400), 128, np.uint8)
    rough[:, :, :40] = np.random.default_rng(0).integers(0, 256, (3, 16, 40), np.uint8)
    cuts = {"side": 16, "scales": 1}
    share = {
        n: np.mean(
            [
                detail(random_crops([rough], [TO_UNIT], **cuts, candidates=n, generator=random(seed))[0]) > 0
                for seed in range(100)
            ]
        )
        for n in (1, 24)
    }
    assert share[1] < 0.25
    assert share[24] > 0.8
    assert detail(torch.zeros(3, 1, 1)) == 0
