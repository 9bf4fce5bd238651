"""Video → factors. Hand-written; shares no code with the renderer.

1. Every frame is turned, around its edges, until the object is in its middle, and read as an image is. Shape,
   colour and background must be the same in all of them.
2. The track of the centroid is a straight line of one speed: its slope is the motion.
3. The logarithm of the area is a periodic function of time: the peak of its periodogram, the transform of its
   autocorrelation, is the tempo. Pulses are its maxima.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from modaloom.modalities.video_value import Frame, Video
from modaloom.world.parsers.hearing import Array
from modaloom.world.parsers.image import (
    moments,
    name_background,
    name_colour,
    name_position,
    name_shape,
    name_size,
)
from modaloom.world.parsers.sight import MIN_CONTRAST, SIDE, Blob, Seen, see, the_object, to_lab
from modaloom.world.scene import FACTORS, INVALID

SLOTS = ("shape", "colour", "size", "position", "background", "motion", "tempo")
MIN_FRAMES = 8
LIGHTNESS, LEAST_CONTRAST = np.array([1, 0, 0]), 5.0
"""Codecs of clips keep the lightness of every pixel, and the hue of four together: places, areas and, if they
can be told, shapes are read from lightness alone. That of object and background differ by 8 or more."""

SPEEDS: Mapping[str, tuple[float, float]] = {"still": (0, 1.0), "slow": (1.2, 2.9), "fast": (3.9, 6.2)}
"""Speed → lowest and highest pixels a second."""
MAX_DRIFT = 0.35
"""Largest speed across the direction, relative to the speed."""
MAX_LEAVE = 0.8
"""Largest distance from the line, root mean square, pixels."""

RATES = np.arange(0.8, 3.9, 0.02)
"""Pulses a second that are looked for."""
TEMPOS: Mapping[str, tuple[float, float]] = {"slow": (1.3, 1.7), "medium": (1.8, 2.25), "fast": (2.7, 3.35)}
"""Tempo → lowest and highest pulses a second."""
MIN_PERIODIC = 0.6
"""Least share of the variance of the logarithm of the area that the pulse explains."""
MIN_SWING = 0.05
"""Least standard deviation of the logarithm of the area."""


@dataclass(frozen=True)
class Track:
    """One object in every frame."""

    blobs: Sequence[Blob]
    """Each in the middle of its frame."""
    bright: Sequence[Blob]
    """The same, by lightness alone."""
    grounds: Array
    """(T, 3): the background's Lab colours."""
    turns: Array
    """(T, 2): by how many pixels frames were turned, x and y."""
    times: Array
    """(T,): seconds."""

    @property
    def places(self) -> Array:
        """(T, 2): the centroid x, y, pixels, going on beyond the edges."""
        found = [_centroid(blob.coverage) for blob in self.bright]
        places: Array = np.unwrap(np.array(found) - self.turns, axis=0, period=SIDE)
        return places

    @property
    def log_areas(self) -> Array:
        """(T,)"""
        areas: Array = np.log([blob.coverage.sum() for blob in self.bright])
        return areas

    @property
    def shapes(self) -> list[str]:
        """Of each frame: by lightness, or else by colours."""
        readings = [
            [name_shape(moments(one.coverage)) for one in pair] for pair in zip(self.bright, self.blobs)
        ]
        return [light if light != INVALID else colours for light, colours in readings]


def parse_video(clip: Video) -> dict[str, str]:
    """Slot of SLOTS → value or `INVALID`; size and position are those of the first frame."""
    track = track_of(clip)
    if track is None:
        return dict.fromkeys(SLOTS, INVALID)
    first, shapes = track.bright[0], track.shapes
    return {
        "shape": _kept(shapes),
        "colour": _kept([name_colour(blob.colour) for blob in track.blobs]),
        "size": name_size(shapes[0], float(first.coverage.sum())),
        "position": name_position(*((np.array(first.middle) - track.turns[0]) % SIDE)),
        "background": _kept([name_background(ground) for ground in track.grounds]),
        "motion": name_motion(*read_motion(track)),
        "tempo": name_tempo(track),
    }


def track_of(clip: Video) -> Track | None:
    """None if there is not one object in every frame, or too few frames."""
    if clip.length < MIN_FRAMES:
        return None
    found = [_look(frame) for frame in clip.scan()]
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    blobs, bright, grounds, turns = zip(*known)
    return Track(blobs, bright, np.array(grounds), np.array(turns), np.arange(len(found)) / float(clip.fps))


def _look(frame: Frame) -> tuple[Blob, Blob, Array, tuple[int, int]] | None:
    """The object in the middle of the turned frame, the same by lightness, the background's colour, and the
    turn."""
    pixels = np.asarray(Image.fromarray(frame).resize((SIDE, SIDE), Image.Resampling.BOX))
    lab = to_lab(pixels.astype(np.float64))
    far = np.linalg.norm(lab - np.median(lab, axis=(0, 1)), axis=-1) > MIN_CONTRAST
    turns = _turn(far.sum(0)), _turn(far.sum(1))
    seen = see(Image.fromarray(np.roll(pixels, turns[::-1], (0, 1))))
    blob = the_object(seen)
    if seen is None or blob is None:
        return None
    bright = the_object(Seen(seen.ground, seen.away * LIGHTNESS), contrast=LEAST_CONTRAST)
    return None if bright is None else (blob, bright, seen.ground, turns)


def _turn(weights: Array) -> int:
    """By how many pixels a circle of weights (n,) is turned so that its mean is in the middle."""
    n = len(weights)
    mean = np.angle(weights @ np.exp(2j * np.pi * (np.arange(n) + 0.5) / n)) * n / (2 * np.pi)
    return round(n / 2 - float(mean))


def _centroid(coverage: Array) -> tuple[float, float]:
    ticks = np.arange(SIDE) + 0.5
    return coverage.sum(0) @ ticks / coverage.sum(), coverage.sum(1) @ ticks / coverage.sum()


def _kept(values: Sequence[str]) -> str:
    """The value, or `INVALID` if it changes."""
    return values[0] if len({*values}) == 1 else INVALID


def read_motion(track: Track) -> tuple[str, str]:
    """Direction and speed, each `INVALID` if it is none of the world's."""
    times = track.times - track.times.mean()
    places = track.places - track.places.mean(0)
    velocity = times @ places / (times @ times)
    leaves = np.sqrt(((places - times[:, None] * velocity) ** 2).sum(1).mean())
    speed = float(np.hypot(*velocity))
    if leaves > MAX_LEAVE:
        return INVALID, INVALID
    across, along = np.sort(np.abs(velocity))
    x, y = velocity
    way = ("right" if x > 0 else "left") if abs(x) == along else ("down" if y > 0 else "up")
    named = _within(SPEEDS, speed)
    if named == "still":
        return named, named
    return (way if across <= MAX_DRIFT * speed else INVALID), named


def name_motion(direction: str, speed: str) -> str:
    """The motion of a direction and a speed, or `INVALID`."""
    motion = direction if direction == speed else f"{direction} {speed}"
    return motion if motion in FACTORS["motion"] else INVALID


def name_tempo(track: Track) -> str:
    """The tempo of the area's pulse, or `INVALID` if it has none."""
    wave = track.log_areas - track.log_areas.mean()
    if wave.std() < MIN_SWING:
        return INVALID
    shares = [_explained(wave, rate * track.times) for rate in RATES]
    best = int(np.argmax(shares))
    return _within(TEMPOS, float(RATES[best])) if shares[best] >= MIN_PERIODIC else INVALID


def _explained(wave: Array, turns: Array) -> float:
    """Share of the variance of a wave (T,) that a sinusoid of these turns (T,) explains."""
    basis = np.stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns), np.ones_like(turns)], 1)
    left = wave - basis @ np.linalg.lstsq(basis, wave, rcond=None)[0]
    return 1 - float(left @ left / (wave @ wave))


def find_pulses(clip: Video) -> list[float]:
    """When the object is largest, in seconds, between frames by a parabola through three of them."""
    track = track_of(clip)
    if track is None or track.log_areas.std() < MIN_SWING:
        return []
    areas, step = track.log_areas, float(1 / clip.fps)
    left, here, right = areas[:-2], areas[1:-1], areas[2:]
    peaks = np.flatnonzero((here >= left) & (here > right) & (here > areas.mean()))
    shifts = (left - right)[peaks] / (left - 2 * here + right)[peaks] / 2
    return [float(time) for time in (peaks + 1 + shifts) * step]


def _within(ranges: Mapping[str, tuple[float, float]], value: float) -> str:
    return next((name for name, (low, high) in ranges.items() if low <= value <= high), INVALID)
