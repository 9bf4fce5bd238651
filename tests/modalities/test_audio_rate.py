"""Resampling in pieces, and channels."""

import numpy as np
import pytest
import soxr

from modaloom.modalities.audio_channels import mixed
from modaloom.modalities.audio_rate import resample_stream, resampled


def wave(n: int, channels: int = 1) -> np.ndarray:
    random = np.random.default_rng(0)
    return (0.2 * random.normal(size=(channels, n))).clip(-1, 1).astype(np.float32)


@pytest.mark.parametrize(
    ("rate", "to"), [(44_100, 16_000), (8_000, 48_000), (22_050, 16_000), (128_000, 16_000)]
)
def test_pieces_add_up_to_the_whole(rate: int, to: int) -> None:
    """Oracle: soxr on the whole. Lengths are exact."""
    samples = wave(30_011, 2)
    whole = soxr.resample(samples.T, rate, to).T
    for size in (1, 997, 8192, 40_000):
        starts = [*range(0, min(30_011, 50 * size), size)]  # then the rest at once
        pieces = [samples[:, a:b] for a, b in zip(starts, [*starts[1:], 30_011], strict=True)]
        found = np.concatenate([*resample_stream(pieces, rate, to)], 1)
        assert found.shape[1] == round(30_011 * to / rate)
        n = min(found.shape[1], whole.shape[1])
        np.testing.assert_allclose(found[:, :n], whole[:, :n], atol=1e-6)


def test_a_sine_stays_in_time_and_height() -> None:
    """Oracle: the sine at the other rate."""
    t, to = np.arange(44_100) / 44_100, np.arange(16_000) / 16_000
    found = resampled(0.5 * np.sin(2 * np.pi * 440 * t)[None].astype(np.float32), 44_100, 16_000)
    np.testing.assert_allclose(found[0, 500:-500], 0.5 * np.sin(2 * np.pi * 440 * to)[500:-500], atol=1e-4)


@pytest.mark.parametrize("n", [1, 2, 100, 44_099])
def test_lengths_are_exact_and_never_zero(n: int) -> None:
    assert resampled(wave(n), 44_100, 16_000).shape == (1, max(1, round(n * 16_000 / 44_100)))
    assert resampled(wave(n), 16_000, 16_000).shape == (1, n)
    assert np.abs(resampled(np.ones((1, n), np.float32), 8_000, 44_100)).max() <= 1


def test_mixes_are_those_of_the_itu() -> None:
    """BS.775: centre and surround 3 dB below left and right, no low-frequency channel; scaled to sum to 1."""
    silence = np.zeros(4, np.float32)

    def alone(channel: int, to: int, channels: int = 6) -> list[float]:
        one = np.stack([np.full(4, 0.5, np.float32) if c == channel else silence for c in range(channels)])
        return mixed(one, to)[:, 0].tolist()

    ratio = np.sqrt(0.5)
    left, centre, rear = alone(0, 2)[0], alone(2, 2), alone(4, 2)
    assert left == pytest.approx(0.5 / (1 + 2 * ratio))
    assert centre == pytest.approx([ratio * left] * 2)
    assert rear == pytest.approx([ratio * left, 0])
    assert alone(3, 2) == [0, 0]
    assert alone(3, 1) == [0]
    assert alone(0, 1)[0] == pytest.approx(ratio * alone(2, 1)[0])
    assert alone(4, 1)[0] == pytest.approx(0.5 * alone(2, 1)[0])
    for front in range(4):
        assert alone(front, 6, 8) == [0.5 * (c == front) for c in range(6)]
    for side in (4, 6):
        assert alone(side, 6, 8) == pytest.approx([0, 0, 0, 0, 0.25, 0])
        assert alone(side, 2, 8)[1] == alone(side + 1, 2, 8)[0] == 0
    assert alone(4, 6, 7)[4] == alone(4, 6, 7)[5] > 0
    assert alone(3, 6, 5) == [0, 0, 0, 0, 0.5, 0]
    assert alone(3, 2, 8) == alone(3, 2, 7) == [0, 0]


def test_channels_are_kept_averaged_or_silent() -> None:
    stereo = wave(100, 2)
    assert mixed(stereo, 2) is stereo
    np.testing.assert_allclose(mixed(stereo, 1)[0], stereo.mean(0), atol=1e-7)
    assert np.array_equal(mixed(stereo[:1], 2), stereo[[0, 0]])
    five = mixed(stereo, 6)
    assert np.array_equal(five[:2], stereo)
    assert not five[2:].any()
    np.testing.assert_allclose(mixed(wave(100, 4), 2), np.stack([wave(100, 4).mean(0)] * 2), atol=1e-6)
    for have in range(2, 9):
        for to in (1, 2, 6):
            assert np.abs(mixed(np.ones((have, 5), np.float32), to)).max() <= 1
