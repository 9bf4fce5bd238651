"""Onsets of product code: clicks and notes made here, whose times are known."""

import numpy as np
import pytest
import torch

from modaloom.spectral.onsets import BLOCK, HOPS_PER_SECOND, find_onsets, spectral_flux

TIMES = np.array([0.31, 0.62, 1.0, 1.27, 1.83, 2.4, 2.71])


def notes(times, rate, seconds=3.0, decay=6.0):
    """Decaying harmonic tones of several pitches that begin at these seconds."""
    track, rng = np.zeros(round(seconds * rate)), np.random.default_rng(0)
    for start in times:
        time = np.arange(len(track) - round(start * rate)) / rate
        pitch = rng.uniform(120, 500)
        tone = sum(np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, 6))
        track[round(start * rate) :] += tone * np.exp(-decay * time)
    return torch.from_numpy((0.5 * track / np.abs(track).max()).astype(np.float32))


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_onsets_are_where_notes_begin(rate):
    found = find_onsets(notes(TIMES, rate), rate)
    assert found.times.tolist() == pytest.approx(TIMES, abs=0.006)
    assert found.strengths.max() == 1
    assert found.strengths.min() > 0


def test_a_step_of_noise_is_an_onset_and_its_end_is_none():
    rng, rate = np.random.default_rng(1), 16_000
    track = np.zeros(2 * rate)
    track[rate // 2 : rate] = 0.2 * rng.standard_normal(rate // 2)
    found = find_onsets(torch.from_numpy(track.clip(-1, 1).astype(np.float32)), rate)
    assert found.times.tolist() == pytest.approx([0.5], abs=0.01)


def test_silence_and_a_held_tone_have_none_within():
    rate = 16_000
    assert not len(find_onsets(torch.zeros(rate), rate).times)
    tone = 0.3 * torch.sin(2 * torch.pi * 300 * torch.arange(2 * rate) / rate)
    assert all(time < 0.03 for time in find_onsets(tone, rate).times)
    assert not len(find_onsets(torch.zeros(1), rate).times)


def test_blocks_are_those_of_the_whole(monkeypatch):
    sound, rate = notes(TIMES, 16_000), 16_000
    whole, step = spectral_flux(sound, rate)
    assert step == 1 / HOPS_PER_SECOND
    assert len(whole) == 3 * HOPS_PER_SECOND < BLOCK
    monkeypatch.setattr("modaloom.spectral.onsets.BLOCK", 37)
    assert torch.allclose(spectral_flux(sound, rate)[0], whole, atol=1e-9)


def test_loudness_does_not_matter():
    sound = notes(TIMES, 16_000)
    assert torch.equal(find_onsets(sound, 16_000).times, find_onsets(0.01 * sound, 16_000).times)
