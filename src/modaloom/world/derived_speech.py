"""Streams derived from `speech`: a robot's voice, and a band limit of 4 kHz."""

import numpy as np

from modaloom.modalities.audio_value import Audio
from modaloom.world.sound import RATE, as_audio

WINDOW, HOP = 480, 160
"""30 and 10 ms: the robot has a pitch of 100 Hz."""
CUTOFF, TRANSITION = 4000.0, 300.0
"""Hz: what is above is removed; below it, what is faded."""


def robot(sound: Audio) -> Audio:
    """Short-time spectra with phases of zero: every frame is a pulse (Zölzer 2011, DAFX, §7.4.4)."""
    samples = sound.samples[0]
    taper = np.hanning(WINDOW + 1)[:-1]
    padded = np.pad(samples, (WINDOW // 2, WINDOW + HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[: len(samples) + HOP : HOP]
    pulses = np.roll(np.fft.irfft(np.abs(np.fft.rfft(frames * taper))), WINDOW // 2, axis=1) * taper
    made = np.zeros(len(frames) * HOP + WINDOW)
    for start, pulse in enumerate(pulses):
        made[start * HOP : start * HOP + WINDOW] += pulse
    cut = made[WINDOW // 2 : WINDOW // 2 + len(samples)]
    return as_audio(cut * (np.abs(samples).max() / max(np.abs(cut).max(), 1e-9)))


def narrow(sound: Audio) -> Audio:
    """Nothing above CUTOFF; below it, phases and, but for the transition, magnitudes are kept."""
    samples = sound.samples[0]
    gains = np.clip((CUTOFF - np.fft.rfftfreq(len(samples), 1 / RATE)) / TRANSITION, 0, 1)
    return as_audio(np.fft.irfft(np.fft.rfft(samples) * gains, len(samples)).clip(-1, 1))
