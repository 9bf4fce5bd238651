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
from modaloom.world.parsers.sight import MIN_CONTRAST, SIDE, Blob, see, the_object, to_lab
from modaloom.world.scene import FACTORS, INVALID

SLOTS = ("shape", "colour", "size", "position", "background", "motion", "tempo")
MIN_FRAMES, MIN_SHOWN = 8, 0.75
"""Least frames that show the object, and least share of all, for a motion and a tempo."""
LEAST_CONTRAST, SOLID = 5.0, 0.9
"""Codecs of clips keep the lightness of every pixel, and the hue of four together: outlines are read from
lightness alone. That of object and background differ by 8 or more."""

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
class Look:
    """The one object of a frame, turned into its middle."""

    blob: Blob
    """Its coverage by lightness alone, its colour by all of it."""
    ground: Array
    """(3,): the background's Lab colour."""
    turns: Array
    """(2,): by how many pixels the frame was turned, x and y."""

    @property
    def middle(self) -> Array:
        """(2,): the middle x, y, pixels, within the frame."""
        return (np.array(self.blob.middle) - self.turns) % SIDE

    @property
    def place(self) -> Array:
        """(2,): the centroid x, y, pixels; off by a multiple of SIDE."""
        ticks, weights = np.arange(SIDE) + 0.5, self.blob.coverage
        place: Array = np.array([weights.sum(0) @ ticks, weights.sum(1) @ ticks]) / weights.sum()
        return place - self.turns


@dataclass(frozen=True)
class Track:
    """The object in the frames that show one."""

    looks: Mapping[int, Look]
    """By frame."""
    length: int
    """T, of the clip."""
    fps: float

    @property
    def places(self) -> Array:
        """(len(looks), 2): the centroid x, y, pixels, going on beyond the edges."""
        places = np.array([look.place for look in self.looks.values()])
        return np.unwrap(places, axis=0, period=SIDE)

    @property
    def log_areas(self) -> Array:
        """(T,): linear between frames that show the object."""
        areas = [look.blob.coverage.sum() for look in self.looks.values()]
        return np.interp(np.arange(self.length), [*self.looks], np.log(areas))

    def kept(self, values: Sequence[str]) -> str:
        """The value of all frames, or `INVALID` if it changes, or one does not show the object."""
        return values[0] if len({*values}) == 1 and len(values) == self.length else INVALID


def parse_video(clip: Video) -> dict[str, str]:
    """Slot of SLOTS → value or `INVALID`; size and position are those of the first frame."""
    track = track_of(clip)
    if track is None:
        return dict.fromkeys(SLOTS, INVALID)
    looks = [*track.looks.values()]
    shapes, first = [name_shape(moments(look.blob.coverage)) for look in looks], track.looks.get(0)
    return {
        "shape": track.kept(shapes),
        "colour": track.kept([name_colour(look.blob.colour) for look in looks]),
        "size": INVALID if first is None else name_size(shapes[0], float(first.blob.coverage.sum())),
        "position": INVALID if first is None else name_position(*first.middle),
        "background": track.kept([name_background(look.ground) for look in looks]),
        "motion": name_motion(*read_motion(track)),
        "tempo": name_tempo(track),
    }


def track_of(clip: Video) -> Track | None:
    """None if too few frames show one object."""
    found = {k: _look(frame) for k, frame in enumerate(clip.scan())}
    looks = {k: look for k, look in found.items() if look is not None}
    enough = len(looks) >= max(MIN_FRAMES, MIN_SHOWN * clip.length)
    return Track(looks, clip.length, float(clip.fps)) if enough else None


def _look(frame: Frame) -> Look | None:
    pixels = np.asarray(Image.fromarray(frame).resize((SIDE, SIDE), Image.Resampling.BOX))
    lab = to_lab(pixels.astype(np.float64))
    far = np.linalg.norm(lab - np.median(lab, axis=(0, 1)), axis=-1) > MIN_CONTRAST
    turns = _turn(far.sum(0)), _turn(far.sum(1))
    seen = see(Image.fromarray(np.roll(pixels, turns[::-1], (0, 1))))
    blob = the_object(seen)
    if seen is None or blob is None:
        return None
    light, solid = seen.away[..., 0], blob.coverage > SOLID
    level = np.median(light[solid]) if solid.any() else 0.0
    if abs(level) < LEAST_CONTRAST:
        return None
    bright = np.clip(light / level, 0, 1) * (blob.coverage > 0)
    return Look(Blob(bright, blob.colour), seen.ground, np.array(turns))


def _turn(weights: Array) -> int:
    """By how many pixels a circle of weights (n,) is turned so that its mean is in the middle."""
    n = len(weights)
    mean = np.angle(weights @ np.exp(2j * np.pi * (np.arange(n) + 0.5) / n)) * n / (2 * np.pi)
    return round(n / 2 - float(mean))


def read_motion(track: Track) -> tuple[str, str]:
    """Direction and speed, each `INVALID` if it is none of the world's."""
    times = np.array([*track.looks]) / track.fps
    times -= times.mean()
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
    shares = [_explained(wave, rate * np.arange(track.length) / track.fps) for rate in RATES]
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
    areas = track.log_areas
    left, here, right = areas[:-2], areas[1:-1], areas[2:]
    peaks = np.flatnonzero((here >= left) & (here > right) & (here > areas.mean()))
    shifts = (left - right)[peaks] / (left - 2 * here + right)[peaks] / 2
    return [float(time) for time in (peaks + 1 + shifts) / track.fps]


def _within(ranges: Mapping[str, tuple[float, float]], value: float) -> str:
    return next((name for name, (low, high) in ranges.items() if low <= value <= high), INVALID)
