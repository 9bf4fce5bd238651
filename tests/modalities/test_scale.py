"""Values of any type as signals: exact within the range, linear outside of it, clipped by the type alone."""

import numpy as np
import pytest
import torch

from modaloom.core.errors import BadValue
from modaloom.degradations.quantize_8bit import quantize_8bit
from modaloom.modalities import MODALITIES
from modaloom.modalities.audio import AUDIO
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.raster import RASTER
from modaloom.modalities.raster_range import matched, measure, scale, with_channels, without_channels
from modaloom.modalities.scale import EIGHT_BITS, Scale
from modaloom.modalities.unit import array_to_unit, from_unit, to_mask, to_unit

RANDOM = np.random.default_rng(0)


def scale_from(low: float, high: float, kind: str) -> Scale:
    return scale({"type": kind, "low": [low], "high": [high], "channels": 1})


def test_eight_bits_are_those_of_pictures_bit_for_bit() -> None:
    signal = 3 * torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0)) - 1
    assert torch.equal(EIGHT_BITS.quantize(signal), quantize_8bit(signal))
    assert torch.equal(EIGHT_BITS.clamp(signal), signal.clamp(0, 1))


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 4095), (900, 1900), (60_000, 60_010), (0, 65_535)])
def test_every_whole_number_comes_back(low: float, high: float) -> None:
    """Also those outside of the range."""
    every, own = np.arange(65_536, dtype=np.uint16).reshape(1, 256, 256), scale_from(low, high, "uint16")
    signal = own.to_unit(every)
    assert signal.dtype == torch.float32
    assert np.array_equal(own.from_unit(signal), every)
    assert float(signal.flatten()[int(low)]) == 0
    assert float(signal.flatten()[int(high)]) == 1
    torch.testing.assert_close(own.quantize(signal), signal, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(own.clamp(signal), signal)


def test_floats_come_back_to_the_rounding_of_the_range_and_are_not_clipped() -> None:
    values = RANDOM.normal(100, 50, (1, 30, 40)).astype(np.float32)
    own = scale_from(80, 120, "float32")
    again = own.from_unit(own.to_unit(values))
    assert again.dtype == np.float32
    assert np.abs(again - values).max() < 40 * 2**-19
    far = torch.tensor([[[-1e6, 1e6]]])
    assert own.quantize(far) is far
    assert torch.equal(own.clamp(far), far)


def test_values_outside_of_the_range_are_mapped_as_those_inside_up_to_the_limits_of_the_type() -> None:
    own = scale_from(1000, 2000, "uint16")
    signal = torch.tensor([[[-0.5, 1.5, 100.0, -7.0]]])
    assert own.from_unit(signal).tolist() == [[[500, 2500, 65_535, 0]]]
    assert own.clamp(signal).tolist() == [[[-0.5, 1.5, pytest.approx(64.535), -1.0]]]
    assert own.quantize(torch.tensor([[[0.50049]]])).item() == pytest.approx(0.5)


def test_channels_have_scales_of_their_own() -> None:
    value = np.stack([np.full((2, 3), 5.0), np.full((2, 3), 500.0)], -1).astype(np.float32)
    facts = measure([0 * value, 2 * value])
    assert (facts["low"], facts["high"]) == ([0, 0], [10, 1000])
    assert torch.equal(to_unit(RASTER, facts, value), torch.full((2, 2, 3), 0.5))
    assert np.array_equal(from_unit(RASTER, facts, torch.full((2, 2, 3), 0.5)), value)


def test_psnr_is_of_the_measured_range_at_any_size() -> None:
    truth = RANDOM.integers(900, 1900, (33, 47, 2), np.uint16)
    made = truth + RANDOM.integers(0, 200, truth.shape, np.uint16)
    facts = {"type": "uint16", "channels": 2, "low": [900, 900], "high": [1900, 2900]}
    off = (made.astype(float) - truth) / np.array([1000, 2000])
    assert RASTER.compare(made, truth, facts)["psnr"] == pytest.approx(-10 * np.log10(np.mean(off**2)))


def test_another_kind_is_refused_with_what_the_stream_has() -> None:
    facts = measure([RANDOM.integers(0, 4096, (4, 4, 1), np.uint16)])
    with pytest.raises(BadValue, match="type uint8; the stream has uint16"):
        to_unit(RASTER, facts, np.zeros((4, 4, 1), np.uint8))
    with pytest.raises(BadValue, match="has 3 channels; the stream has 1"):
        matched(np.zeros((4, 4, 3), np.uint16), facts)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_what_is_added_to_a_picture_with_fewer_channels_is_taken_off_again(channels: int) -> None:
    value = RANDOM.integers(0, 256, (5, 6, channels), np.uint8)
    assert np.array_equal(without_channels(with_channels(value, 4), channels), value)
    conformed = RASTER.conform(value, with_channels(value, 4), True, False)
    assert np.array_equal(conformed.value, value)


def test_masks_are_white_above_half() -> None:
    mask = np.zeros((4, 5, 1), np.uint8)
    mask[1:3, 2:4] = 255
    where = torch.from_numpy(mask[..., 0] > 0)
    for found in (mask, mask // 255, mask.astype(np.float32) / 7):
        assert torch.equal(to_mask(RASTER, {}, found), where)
    assert not to_mask(RASTER, {}, 0 * mask).any()
    picture = MODALITIES["image"].signal.from_array(np.repeat(mask.transpose(2, 0, 1), 3, 0), {})
    assert torch.equal(to_mask(MODALITIES["image"], {}, picture), where)


def test_pictures_are_the_signals_that_they_were() -> None:
    packed = RANDOM.integers(0, 256, (3, 9, 7), np.uint8)
    signal = array_to_unit(MODALITIES["image"], {}, packed)
    assert torch.equal(signal, (torch.tensor(packed).float() / 127.5 - 1 + 1) / 2)


def test_a_sound_marks_where_it_is_loud() -> None:
    """Whole waves of either sign; silence between two sounds stays."""
    time = np.arange(8_000) / 16_000
    wave, where = np.zeros((2, 8_000), np.float32), torch.zeros(8_000, dtype=torch.bool)
    for part, channel in ((slice(1_000, 2_000), 0), (slice(2_200, 4_000), 1)):
        wave[channel, part] = np.sin(2 * np.pi * 200 * time[part])
        where[part] = True
    wave[1, 6_000:6_400] = -0.9
    where[6_000:6_400] = True
    found = to_mask(AUDIO, {"rate": 16_000}, Audio(wave, 16_000))
    assert (found != where).sum() < 120  # a wave begins and ends below half of its peak
    assert not found[2_010:2_190].any()
    assert torch.equal(found[5_000:], where[5_000:])
    assert not to_mask(AUDIO, {"rate": 16_000}, Audio(0 * wave, 16_000)).any()


def test_silence_between_two_marks_of_a_sound_stays_unless_a_wave_crosses_it() -> None:
    marks = np.zeros((1, 1_000), np.float32)
    marks[0, [*range(5), *range(300, 310), *range(350, 400), 997]] = 0.8
    marks[0, 600:900] = np.sin(2 * np.pi * np.arange(300) / 100 + 1.5)
    found = to_mask(AUDIO, {"rate": 16_000}, Audio(marks, 16_000)).numpy()
    at_rest = np.r_[:500, 950:1000]
    assert np.array_equal(found[at_rest], marks[0, at_rest] > 0)
    assert found[601:880].all()


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_a_mask_of_a_sound_marks_the_same_seconds_at_any_rate(rate: int) -> None:
    """Each channel by itself: the second gap is in one of them."""
    marks = np.zeros((2, rate // 2), np.float32)
    marks[:, rate // 10 : rate // 5] = 1
    marks[1, 3 * rate // 10 : 2 * rate // 5] = 1
    found = to_mask(AUDIO, {"rate": 16_000}, Audio(marks, rate)).numpy()
    wanted = np.isin(np.arange(8_000) // 1_600, (1, 3))
    assert len(found) == 8_000
    assert (found != wanted).sum() <= 4  # half a sample of the lower rate at each edge
