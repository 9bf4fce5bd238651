"""Tasks of sounds: what is kept, what is bounded, lengths. Oracles: the FFT's ideal low pass, the input."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import resample
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.modalities.audio import WAVE
from modaloom.restorer.tasks import TASKS_OF_SOUNDS, Signals, Task
from modaloom.restorer.tasks.bandwidth import FRAMES, FULL_SCALE, high_band, levels
from modaloom.restorer.tasks.declip import Declip
from modaloom.restorer.tasks.inpaint import LONGEST_GAP, Inpaint
from modaloom.restorer.tasks.masking import append_mask
from modaloom.restorer.tasks.superres import SuperRes
from modaloom.restorer.tasks.waves import CELL, CENTRE, from_cells, to_cells

LOCAL = {name: task for name, task in TASKS_OF_SOUNDS.items() if task.is_residual}
SUPERRES, DECLIP, GAPS = (TASKS_OF_SOUNDS[name] for name in ("superres", "declip", "inpaint"))


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def voice(n: int = 6144, seed: int = 0) -> Tensor:
    """Noise with a falling spectrum that swells, in steps of 16 bits, (1, n) in [0, 1]."""
    noise = np.cumsum(np.random.default_rng(seed).normal(size=n))
    noise = np.diff(noise - np.convolve(noise, np.ones(64) / 64, "same"), append=0) + 0.1 * noise / 8
    wave = 0.02 * noise * (1.2 + np.sin(np.arange(n) / 900))
    return WAVE.to_unit(np.round(wave.clip(-1, 1) * 32767).astype(np.int16)[None])


def hum(n: int) -> Tensor:
    """Tones up to 0.9 of half of the rate, which swell and fade, (1, n)."""
    t = np.arange(n)
    tones = sum(np.sin(np.pi * share * t + 9 * share) for share in np.linspace(0.1, 0.9, 9))
    return WAVE.to_unit(np.round(3000 * tones * np.hanning(n)).astype(np.int16)[None])


def shown(seed: int = 0, n: int = 6144) -> Signals:
    return Signals(voice(n, seed), input=voice(n, seed + 1), scale=WAVE)


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("name", LOCAL)
def test_the_target_of_a_sound_makes_the_answer_the_wanted_sound(name: str, filtered: bool) -> None:
    """Contract, as of pictures; of the high band, whose phases are lost, the levels."""
    task: Task[Any] = LOCAL[name]
    options = task.options()
    if filtered:
        examples = [task.make_example(shown(seed), options, random(seed)) for seed in range(20, 40)]
        channels = len(examples[0].target)
        task = replace(task, filters=task.fit_filters(options, examples, channels=channels, axes=1))
    pair = task.make_example(shown(), options, random())
    again = random()
    drawn = task.sample_options(options, again)
    held = task.augment(task.degrade(shown(), drawn, again), drawn, again)
    assert pair.target.shape[1:] == pair.condition.shape[1:]
    assert pair.condition.min() >= -0.1
    assert pair.condition.max() <= 1.1
    assert held.target is not None
    replayed = task.represent(task.finalize(pair.target, pair, held, drawn), drawn)
    off = (replayed - task.represent(held.target, drawn)).abs()
    assert float(off.mean()) < (0.04 if name == "superres" else 1e-5)


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("n", [1, 40, 1001, 16_000])
def test_the_low_band_of_a_super_resolved_sound_is_the_input(n: int, factor: int) -> None:
    """By the ideal low pass: ≥ 40 dB, with high bands that are about 30 dB lower; and of its length."""
    options, small = SuperRes(factor=factor), hum(n)
    held = Signals(input=small, scale=WAVE)
    asked = SUPERRES.build_condition(held, options)
    guess = 0.05 * torch.randn(asked.target.shape, generator=random()) - 0.25
    found = SUPERRES.finalize(guess, asked, held, options)
    assert found.shape == (1, n * factor)
    if n > 1000:
        low = resample(WAVE.from_unit(found)[0].astype(float), n)
        wanted = WAVE.from_unit(small)[0].astype(float)
        assert 10 * np.log10(np.square(wanted).sum() / np.square(low - wanted).sum()) >= 40
        spectrum = np.abs(np.fft.rfft(found[0].numpy() - CENTRE))
        assert np.square(spectrum[int(0.55 * n) :]).sum() > 0


def test_levels_are_decibels_of_full_scale() -> None:
    t = torch.arange(6144)
    sine = 0.5 * torch.sin(2 * torch.pi * 192 / FRAMES.n_fft * t)[None]
    for amplitude, wanted in ((1.0, 1.0), (0.1, 1 - 20 / 120), (0.0, 0.0)):
        seen = levels(FRAMES.analyse(amplitude * sine))
        assert float(seen[192, 10]) == pytest.approx(wanted, abs=1e-4)
    assert pytest.approx(128 * 0.5) == FULL_SCALE


def test_a_band_has_the_levels_that_are_asked_for_and_silence_none() -> None:
    small = voice(3072)
    wanted = torch.full((128, 48), 0.5)
    band = high_band(wanted, small, 2)
    inside = levels(FRAMES.analyse(band))[129:, 4:-4]
    assert float(inside.mean()) == pytest.approx(0.5, abs=0.04)
    assert float(levels(FRAMES.analyse(band))[:120, 4:-4].max()) < 0.5
    silent = torch.full((1, 3072), CENTRE)
    assert not high_band(wanted, silent, 2).any()


def test_cells_are_samples_side_by_side() -> None:
    for n in (1, CELL, 100):
        wave = torch.rand(1, n, generator=random())
        cells = to_cells(wave)
        assert cells.shape == (CELL, -(-n // CELL))
        assert torch.equal(from_cells(cells, n), wave)
    assert torch.equal(to_cells(torch.arange(32.0)[None])[:, 1], torch.arange(16.0, 32.0))


@pytest.mark.parametrize("n", [160, 6144])
def test_samples_that_are_not_clipped_stay_and_others_are_at_least_at_the_level(n: int) -> None:
    held = DECLIP.degrade(Signals(voice(n), scale=WAVE), Declip(level=0.3), random())
    asked = DECLIP.build_condition(replace(held, target=None), Declip())
    found = DECLIP.finalize(0.1 * torch.randn(asked.target.shape, generator=random()), asked, held, Declip())
    assert held.input is not None
    assert held.target is not None
    top, bottom = held.input == held.input.max(), held.input == held.input.min()
    assert 0.02 < float((top | bottom).float().mean()) < 0.9
    kept = ~(top | bottom)
    assert torch.equal(found[kept], held.input[kept])
    torch.testing.assert_close(found[kept], held.target[kept], atol=1e-5, rtol=0)
    assert bool((found[top] >= held.input.max()).all())
    assert bool((found[bottom] <= held.input.min()).all())
    assert found.shape == (1, n)


@pytest.mark.parametrize("value", [CENTRE, 0.7])
def test_a_constant_is_not_clipped(value: float) -> None:
    held = Signals(input=torch.full((1, 200), value), scale=WAVE)
    asked = DECLIP.build_condition(held, Declip())
    found = DECLIP.finalize(torch.ones_like(asked.target), asked, held, Declip())
    assert torch.equal(found, held.input)


def test_a_clipped_sound_gets_room_above() -> None:
    sound = voice(500)
    for gain in (1.0, 0.5):
        prepared = DECLIP.prepare(sound, None, Declip(gain=gain))
        torch.testing.assert_close(prepared - CENTRE, gain * (sound - CENTRE))
    with pytest.raises(BadValue, match="takes no mask"):
        DECLIP.prepare(sound, torch.ones(500, dtype=torch.bool), Declip())


def test_training_sounds_are_as_loud_as_a_users() -> None:
    for seed in range(10):
        held = DECLIP.augment(
            DECLIP.degrade(Signals(0.5 + 0.1 * (voice() - 0.5), scale=WAVE), Declip(), random()),
            Declip(),
            random(seed),
        )
        assert held.input is not None
        assert 0.05 - 1e-4 <= float((held.input - CENTRE).abs().max()) <= 0.25 + 1e-4


@pytest.mark.parametrize("n", [160, 6143])
def test_what_is_outside_of_gaps_stays_to_the_bit(n: int) -> None:
    for seed in range(5):
        held = GAPS.degrade(Signals(voice(n), scale=WAVE), Inpaint(), random(seed))
        assert held.input is not None
        known = held.input[1:] > 0
        asked = GAPS.build_condition(held, Inpaint())
        found = GAPS.finalize(torch.ones_like(asked.target), asked, held, Inpaint())
        assert torch.equal(found[known], held.input[:1][known])
        assert not torch.equal(found, held.input[:1])
        gaps = np.diff(np.flatnonzero(np.append(True, np.append(known.numpy()[0], True)))) - 1
        assert 0 < gaps.max() <= 4 * LONGEST_GAP
        wide = GAPS.build_condition(replace(held, input=append_mask(voice(n), known[0])), Inpaint())
        assert torch.equal(wide.condition[:CELL].T.reshape(-1)[:n][known[0]], voice(n)[known])


def test_the_first_guess_of_a_gap_is_better_than_silence() -> None:
    wave, known = voice(), torch.ones(6144, dtype=torch.bool)
    known[2000:2040] = False
    tone = 0.5 + 0.2 * torch.sin(torch.arange(6144) / 9)[None]
    held = Signals(input=append_mask(torch.where(known, tone, CENTRE), known), scale=WAVE)
    guess = from_cells(GAPS.initial_estimate(GAPS.build_condition(held, Inpaint())), wave.shape[1])
    assert float((guess - tone)[:, ~known].abs().max()) < 0.02
