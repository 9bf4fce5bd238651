"""The audio modality: specification, packing, comparison, what is said."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from modaloom.core.errors import BadValue
from modaloom.modalities import MODALITIES
from modaloom.modalities.audio import AUDIO, coerce
from modaloom.modalities.audio_facts import is_clipped, level, sounding_seconds
from modaloom.modalities.audio_rate import resampled
from modaloom.modalities.audio_spec import AudioLimits
from modaloom.modalities.audio_value import Audio

RATE = 16_000


def sound(
    seconds: float = 1.0, hz: float = 440, rate: int = RATE, channels: int = 1, **options: Any
) -> Audio:
    t = np.arange(round(seconds * rate)) / rate
    waves = [0.4 * np.sin(2 * np.pi * hz * (1 + c) * t) for c in range(channels)]
    return Audio(np.stack(waves).astype(np.float32), rate, **options)


def spec_of(*sounds: Audio, **limits: int) -> dict[str, Any]:
    return AUDIO.infer_spec(sounds, AudioLimits(**limits))


def test_the_spec_is_that_of_the_longest_and_commonest() -> None:
    spec = spec_of(sound(0.5), sound(2.005), sound(1.0, rate=8_000, type="int24"))
    assert spec["size"] == [201]
    assert (spec["rate"], spec["tracks"], spec["channels"], spec["type"]) == (RATE, 1, 80, "int16")


def test_limits_bound_it_and_are_told() -> None:
    long = sound(3.2, rate=44_100, channels=2)
    spec = spec_of(long, max_seconds=2)
    assert (spec["size"], spec["rate"], spec["tracks"]) == ([200], RATE, 1)
    told = {one.how: one for one in AUDIO.shortened(long, spec)}
    assert [*told] == [
        "are cut after 2 seconds",
        "are resampled to 16,000 Hz",
        "are mixed down to 1 channel",
    ]
    assert [(one.limit, one.kept, one.needed) for one in told.values()] == [
        ("max_seconds", 2, 4),
        ("max_rate", RATE, 44_100),
        ("max_channels", 1, 2),
    ]
    assert [one.is_resolution for one in told.values()] == [False, True, True]
    assert not AUDIO.shortened(sound(2.0), spec)
    wide = spec_of(long, max_seconds=4, max_rate=48_000, max_channels=2)
    assert (wide["rate"], wide["tracks"], wide["channels"]) == (44_100, 2, 160)
    assert not AUDIO.shortened(long, wide)


@pytest.mark.parametrize("limits", [{"max_seconds": 0}, {"max_rate": 4_000}, {"max_channels": 0}])
def test_limits_are_checked(limits: dict[str, int]) -> None:
    with pytest.raises(BadValue, match=next(iter(limits))):
        AudioLimits(**limits)


def test_what_fits_is_kept_and_followed_by_silence() -> None:
    spec = spec_of(sound(2.0))
    short = sound(0.75)
    found = AUDIO.signal.fitted(short, spec)
    assert np.array_equal(found.samples[:, :12_000], short.samples)
    assert not found.samples[:, 12_000:].any()
    assert AUDIO.signal.fitted(found, spec) == found
    packed = AUDIO.signal.pack(short, spec)
    assert packed.dtype == np.int16
    assert (packed[:, 80:] == -32_768).all()
    cut = AUDIO.signal.fitted(sound(5.0), spec)
    assert np.array_equal(cut.samples, sound(2.0).samples)


def test_a_cut_before_resampling_is_that_of_the_whole() -> None:
    """Oracle: all of the file resampled, then cut."""
    long = sound(3.0, rate=44_100)
    whole = resampled(long.samples, 44_100, RATE)
    found = AUDIO.signal.fitted(long, spec_of(sound(1.0))).samples
    np.testing.assert_allclose(found, whole[:, :RATE], rtol=0, atol=1e-6)


def test_stereo_is_packed_channel_by_channel() -> None:
    both = sound(1.0, channels=2)
    spec = spec_of(both, max_channels=2)
    packed = AUDIO.signal.pack(both, spec)
    alone = [AUDIO.signal.pack(Audio(both.samples[[c]], RATE), spec_of(sound(1.0))) for c in (0, 1)]
    assert np.array_equal(packed, np.concatenate(alone))
    again = AUDIO.signal.unpack(packed, spec)
    spectrum = np.abs(np.fft.rfft(again.samples))
    assert [int(at) for at in spectrum.argmax(1)] == pytest.approx([440, 880], abs=8)


def test_a_sound_comes_back_near_and_always_the_same() -> None:
    """Log-mel distance of what Griffin–Lim makes, beside that to silence and to another tone."""
    truth = sound(1.0)
    spec = spec_of(truth)
    made = AUDIO.signal.unpack(AUDIO.signal.pack(truth, spec), spec)
    assert made == AUDIO.signal.unpack(AUDIO.signal.pack(truth, spec), spec)
    assert made.samples.shape == truth.samples.shape
    near = AUDIO.compare(made, truth, spec)["mel_distance"]
    other = AUDIO.compare(sound(1.0, hz=660), truth, spec)["mel_distance"]
    silence = AUDIO.compare(Audio(np.zeros((1, RATE), np.float32), RATE), truth, spec)["mel_distance"]
    assert near < 8 < other < silence


def test_what_follows_the_sound_is_silence_and_cheap() -> None:
    """A log-mel that is nearly silent after 0.3 s, as a decoder leaves it, gives zeros there."""
    spec = spec_of(sound(2.0))
    packed = AUDIO.signal.pack(sound(0.3), spec)
    packed[:, 40:] = -32_768 + np.random.default_rng(0).integers(0, 3000, packed[:, 40:].shape)
    made = AUDIO.signal.unpack(packed, spec)
    assert made.samples.shape == (1, 32_000)
    assert not made.samples[:, 6400:].any()
    assert sounding_seconds(made) == pytest.approx(0.3, abs=0.04)
    assert not AUDIO.signal.unpack(np.full_like(packed, -32_768), spec).samples.any()


def test_compare_has_known_values() -> None:
    """Half as loud: 6.02 dB where there is sound, the scale-invariant ratio perfect."""
    truth = Audio(
        (0.3 * np.random.default_rng(0).normal(size=(1, RATE))).clip(-1, 1).astype(np.float32), RATE
    )
    soft = Audio(truth.samples / 2, RATE)
    spec = spec_of(truth)
    found = AUDIO.compare(soft, truth, spec)
    assert found["mel_distance"] == pytest.approx(20 * np.log10(2), abs=0.01)
    assert found["si_sdr"] == pytest.approx(100)
    assert found["duration_error"] == 0
    assert AUDIO.compare(soft, truth, {})["mel_distance"] == pytest.approx(20 * np.log10(2), abs=0.01)
    silent = Audio(np.zeros((1, RATE), np.float32), RATE)
    assert "si_sdr" not in AUDIO.compare(truth, silent, spec)
    assert AUDIO.compare(sound(0.25), sound(0.75), spec)["duration_error"] == pytest.approx(0.5)


def test_padding_does_not_dilute_the_distance() -> None:
    """The same two sounds are as far apart in a spec of a second as in one of four."""
    a, b = sound(1.0), sound(1.0, hz=660)
    near, far = (AUDIO.compare(a, b, spec_of(sound(n)))["mel_distance"] for n in (1.0, 4.0))
    assert far == pytest.approx(near, rel=0.05)


def test_facts_are_measured() -> None:
    """A sine of amplitude 0.4 is 20·log10(0.4/√2) dB; it ends where it is followed by silence."""
    wave = sound(0.5)
    assert level(wave) == pytest.approx(20 * np.log10(0.4 / np.sqrt(2)), abs=0.01)
    assert sounding_seconds(Audio(np.pad(wave.samples, [(0, 0), (0, 8000)]), RATE)) == pytest.approx(0.5)
    assert sounding_seconds(Audio(np.zeros((1, 50), np.float32), RATE)) == 0
    loud = Audio((4 * wave.samples).clip(-1, 1), RATE)
    assert is_clipped(loud)
    assert not is_clipped(wave)
    facts = AUDIO.describe([wave, loud, sound(2.0, rate=8000), Audio(np.zeros((1, 800), np.float32), RATE)])
    assert facts == {
        "shortest": "0.05 s",
        "median": "0.50 s",
        "longest": "2.00 s",
        "total": "0.1 minutes",
        "rate": "8,000 Hz (1), 16,000 Hz (3)",
        "channels": "1",
        "level": "-120 to -1 dB",
        "silent": 1,
        "clipped": 1,
    }


def test_arrays_with_a_rate_are_taken() -> None:
    wave = sound(0.1)
    whole = np.round(wave.samples[0] * 32_768).astype(np.int16)
    assert coerce((whole, RATE)) == Audio((whole / 32_768)[None].astype(np.float32), RATE)
    assert coerce((wave.samples.astype(np.float64), RATE)).type == "float32"
    assert coerce((np.zeros((2, 50)), RATE)).channels == 2
    for bad, match in (
        ((np.zeros((50, 2), np.float32), RATE), "50 channels"),
        ((np.zeros(50, np.int64), RATE), "int64"),
        ((2 * np.ones(50), RATE), "scale them"),
        ((np.zeros(50), "fast"), "is no sound"),
    ):
        with pytest.raises(BadValue, match=match):
            coerce(bad)


def test_a_page_has_player_picture_and_facts() -> None:
    fragment = AUDIO.to_html(sound(1.25, channels=2), {})
    assert re.search(r'<audio controls[^>]* src="data:audio/mpeg;base64,[\w+/=]+"', fragment)
    assert re.search(r'<img src="data:image/png;base64,[\w+/=]+" width="256" height="80"', fragment)
    assert "1.25 s, 16,000 Hz, stereo" in fragment
    assert fragment == AUDIO.to_html(sound(1.25, channels=2), {})
    assert len(AUDIO.to_html(sound(2.0), {})) < 40_000
    assert len(AUDIO.to_html(sound(60.0), {})) < 400_000
    for odd in (sound(0.01, rate=1_000), sound(0.1, rate=128_000), sound(0.1, channels=6)):
        assert "<audio" in AUDIO.to_html(odd, {})


def test_waveforms_have_one_rate_and_what_they_lack_is_told(tmp_path: Path) -> None:
    """A Restorer never sees two rates in one training: the commonest, and in mono."""
    codec = AUDIO.signal
    facts = codec.measure([sound(0.1), sound(0.1, rate=8_000), sound(0.1)])
    assert (facts, codec.coarser(facts, 2)) == ({"rate": RATE}, {"rate": 8_000})
    assert codec.to_array(codec.matched(sound(1.0, rate=48_000, channels=2), facts)).shape == (1, RATE)
    assert codec.from_array(codec.to_array(sound(1.0, channels=2)), facts).samples.shape == (2, RATE)
    stereo = sound(0.1, channels=2)
    assert [part.channels for part in codec.parts(stereo)] == [1, 1]
    assert codec.join(codec.parts(stereo)) == stereo
    source = sound(1.0, rate=48_000, channels=2, type="int24")
    AUDIO.write(source, tmp_path / "a.wav")
    for given in (source, tmp_path / "a.wav"):
        found = AUDIO.conform(given, sound(1.0), True, False)
        assert found.value == sound(1.0)
        assert found.changes == ["48,000 Hz became 16,000", "2 channels became 1", "24 bits became 16"]
    assert not AUDIO.conform(sound(1.0), sound(1.0), True, False).changes


@pytest.mark.parametrize(
    ("n", "rate"), [(44_107, 44_100), (22_057, 22_050), (192_007, 192_000), (8_007, 8_000)]
)
def test_an_aligned_result_is_as_long_as_its_source_at_any_rate(n: int, rate: int) -> None:
    """Where super-resolution makes an even number of samples."""
    source, wanted = Audio(np.zeros((1, n), np.float32), rate), round(n * RATE / rate)
    for made in (wanted - 1, wanted, wanted + 1):
        value = Audio(np.full((1, made), 0.5, np.float32), RATE)
        assert AUDIO.conform(source, value, True, False).value.samples.tolist() == [[0.5] * wanted]
        assert AUDIO.conform(source, value, False, False).value is value


def test_silence_dc_and_clipping_go_through() -> None:
    for samples in (np.zeros(160), np.full(1600, 0.5), np.sign(np.sin(np.arange(1600)))):
        value = Audio(samples[None].astype(np.float32), RATE)
        spec = spec_of(value)
        packed = AUDIO.signal.pack(value, spec)
        made = AUDIO.signal.unpack(packed, spec)
        assert np.isfinite(made.samples).all()
        assert all(np.isfinite(figure) for figure in AUDIO.compare(made, value, spec).values())


def test_lower_is_better_is_said_by_the_modality() -> None:
    from modaloom.evaluation.headline import sign

    assert [sign(name) for name in ("mel_distance", "duration_error", "si_sdr")] == [-1, -1, 1]
    for modality in MODALITIES.values():
        for metric in modality.lower_is_better:
            assert sign(metric) == sign(f"{metric}.column") == -1


def test_features_are_bounded_in_number() -> None:
    """Of 4 s, 51 positions of 80 bands."""
    spec = spec_of(sound(4.0))
    assert AUDIO.codec.features([sound(0.5), sound(4.0)], spec).shape == (2, 51 * 80)


def test_normalized_signals_are_on_one_scale() -> None:
    signal = torch.tensor([-1.0, 0, 0.5, 1, 3])
    assert AUDIO.signal.denormalize(signal).tolist() == [-32_768, 0, 16_384, 32_767, 32_767]
    assert AUDIO.signal.normalize(torch.tensor([-32_768, 0, 16_384], dtype=torch.int16)).tolist() == [
        -1,
        0,
        0.5,
    ]
