"""What holds for every transform: its randomness is the generator's, and what it is given stays as it is."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from modaloom.modalities import MODALITIES
from modaloom.modalities.unit import array_to_unit
from modaloom.transforms import TRANSFORMS

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 20, 24)).astype(np.uint8)
SIGNAL = torch.from_numpy(PIXELS) / 255
TO_UNIT = partial(array_to_unit, MODALITIES["image"], {})
CROP = {"to_unit": [TO_UNIT] * 2, "side": 8, "scales": 2, "candidates": 3}
EXAMPLES: dict[str, tuple[Any, dict[str, Any], tuple[float, float]]] = {
    "brightness": (2 * SIGNAL - 1, {"strength": 0.5}, (-1, 1)),
    "crop": ([PIXELS, 255 - PIXELS], CROP, (0, 1)),
    "flip": (SIGNAL, {"probability": 0.7}, (0, 1)),
    "recolour": (SIGNAL, {}, (0, 1)),
    "rotate_colours": (2 * SIGNAL.expand(4, -1, -1, -1) - 1, {}, (-1, 1)),
    "shift": (SIGNAL, {"fraction": 0.5}, (0, 1)),
}
"""Name → signals, further arguments, range of the result."""


def stacked(signals: Sequence[Any]) -> torch.Tensor:
    return torch.stack([torch.as_tensor(one) for one in signals])


@pytest.fixture(params=TRANSFORMS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def result(name: str) -> Callable[[int], torch.Tensor]:
    """Seed → the transformed example."""
    signals, options, _ = EXAMPLES[name]
    transform = TRANSFORMS[name]
    return lambda seed: stacked(transform(signals, **options, generator=torch.Generator().manual_seed(seed)))


def test_the_same_seed_makes_the_same_and_another_another(result: Callable[[int], torch.Tensor]) -> None:
    first = result(1)
    torch.manual_seed(5)
    assert torch.equal(result(1), first)
    assert not torch.equal(result(2), first)


def test_the_signals_given_stay_as_they_are(name: str, result: Callable[[int], torch.Tensor]) -> None:
    before = stacked(EXAMPLES[name][0]).clone()
    result(0)
    assert torch.equal(stacked(EXAMPLES[name][0]), before)


def test_the_range_stays(name: str, result: Callable[[int], torch.Tensor]) -> None:
    low, high = EXAMPLES[name][2]
    found = torch.stack([result(seed) for seed in range(20)])
    assert found.dtype == torch.float32
    assert low <= float(found.min()) < float(found.max()) <= high
