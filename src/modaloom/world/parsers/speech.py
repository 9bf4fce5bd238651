"""Streams of speech → what is said and who speaks. Hand-written; shares no code with the renderers."""

import numpy as np

from modaloom.modalities.audio_value import Audio
from modaloom.world.parsers.hearing import FULL, NARROW, RATE, Array, heard
from modaloom.world.parsers.spoken_words import SAID, name_words
from modaloom.world.parsers.voice import name_voice
from modaloom.world.scene import INVALID

SLOTS = (*SAID, "voice")
AUDIBLE, MIN_SECONDS = 1e-3, 0.3
"""Least peak and duration of speech."""
ROBOT_PERIOD, MIN_PERIODICITY = 160, 0.37
"""Samples of 100 Hz; autocorrelation of most frames there: of robots 0.9 and, by Griffin–Lim, 0.48 or more;
of people, whose pitch is another and moves, 0.26 or less."""
FRAME, LOUD = 640, 10**-2.5
"""Samples whose period is measured; their least power, relative to the loudest."""
MAX_HIGH = 1e-4
"""Power above NARROW of a sound of narrow band, relative to all."""
MARGIN = 200.0
"""Hz above NARROW that a filter may leave."""


def parse_speech(sound: Audio) -> dict[str, str]:
    """Every slot of SLOTS → value or `INVALID`; a robot, or who has no high band, has no known voice."""
    samples = heard(sound)
    plain = not is_robot(samples) and not is_narrow(samples)
    return _parse(samples, FULL) | ({} if plain else {"voice": INVALID})


def parse_other(sound: Audio) -> dict[str, str]:
    """Every slot of SAID → value or `INVALID`, whoever speaks."""
    return {slot: value for slot, value in parse_speech(sound).items() if slot in SAID}


def parse_reference(sound: Audio) -> dict[str, str]:
    """`voice` → its name, or `INVALID`."""
    samples = heard(sound)
    plain = _is_audible(samples) and not is_robot(samples) and not is_narrow(samples)
    return {"voice": name_voice(samples) if plain else INVALID}


def parse_robot(sound: Audio) -> dict[str, str]:
    """Every slot of SLOTS → value or `INVALID`; all are invalid where no robot speaks."""
    samples = heard(sound)
    return _parse(samples, FULL) if is_robot(samples) else dict.fromkeys(SLOTS, INVALID)


def parse_narrow(sound: Audio) -> dict[str, str]:
    """Every slot of SLOTS → value or `INVALID`; all are invalid where there is a high band."""
    samples = heard(sound)
    return _parse(samples, NARROW) if is_narrow(samples) else dict.fromkeys(SLOTS, INVALID)


def is_robot(samples: Array) -> bool:
    """Whether most loud frames have a period of ROBOT_PERIOD."""
    if len(samples) < FRAME + ROBOT_PERIOD:
        return False
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME + ROBOT_PERIOD)[::ROBOT_PERIOD]
    now, then = frames[:, :FRAME], frames[:, ROBOT_PERIOD:]
    power = (now**2).sum(1)
    periodicity = (now * then).sum(1) / np.sqrt(power * (then**2).sum(1) + 1e-12)
    return bool(np.median(periodicity[power >= LOUD * power.max()]) >= MIN_PERIODICITY)


def is_narrow(samples: Array) -> bool:
    """Whether there is hardly anything above NARROW."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    high = np.fft.rfftfreq(len(samples), 1 / RATE) > NARROW + MARGIN
    return bool(power[high].sum() <= MAX_HIGH * power.sum())


def _parse(samples: Array, top: float) -> dict[str, str]:
    if not _is_audible(samples):
        return dict.fromkeys(SLOTS, INVALID)
    return {**name_words(samples, top), "voice": name_voice(samples)}


def _is_audible(samples: Array) -> bool:
    return len(samples) >= MIN_SECONDS * RATE and bool(np.abs(samples).max() >= AUDIBLE)
