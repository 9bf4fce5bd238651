"""Stream `video`: two seconds in which the object moves and pulses on the beat of the music.

What leaves the frame enters on the other side: an object moves on as far as it likes, and is whole in every
frame. At the start it is where and as large as in the image.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from modaloom.modalities.video_value import Video
from modaloom.world.image import drawn, ground
from modaloom.world.music import BEAT, beats
from modaloom.world.record import SPEEDS, TEMPOS
from modaloom.world.scene import SIDE, STILL, Scene
from modaloom.world.shapes import Placed, place

LENGTH, FPS = 16, 8
HEADINGS: Mapping[str, tuple[int, int]] = {
    "left": (-1, 0),
    "right": (1, 0),
    "up": (0, -1),
    "down": (0, 1),
    STILL: (0, 0),
}
"""Direction → signs of the velocity (x, y)."""
SWING = 0.22
"""Half range of the logarithm of the area: it is largest on the beat."""


def video(scene: Scene) -> Video:
    """LENGTH frames, side × side; the first one is the image, but for what hangs over an edge."""
    rng, placed = scene.random("image"), place(scene)
    level, period = ground(scene.background, rng), 1 / TEMPOS[scene.tempo]
    start = float(beats(period, scene.random(BEAT))[0])
    frames = []
    for time in np.arange(LENGTH) / FPS:
        one = pulsed(moved(placed, scene, time), time, start, period)
        frames.append(drawn(copies(one), level, scene.side, rng))
    return Video.of(np.stack(frames), FPS)


def moved(placed: Placed, scene: Scene, time: float) -> Placed:
    """The object `time` seconds later, by SPEEDS."""
    (x, y), far = HEADINGS[scene.direction], SPEEDS[scene.speed] * time
    return replace(placed, x=(placed.x + x * far) % SIDE, y=(placed.y + y * far) % SIDE)


def pulsed(placed: Placed, time: float, start: float, period: float) -> Placed:
    """The object, `placed` at 0 seconds, after `time` seconds of a beat that began at `start`."""
    now, before = (math.cos(2 * math.pi * (at - start) / period) for at in (time, 0.0))
    return replace(placed, radius=placed.radius * math.exp(SWING / 2 * (now - before)))


def copies(placed: Placed) -> list[Placed]:
    """The object, and what of it enters on the other sides."""
    xs, ys = ((at, at - math.copysign(SIDE, at - SIDE / 2)) for at in (placed.x, placed.y))
    return [replace(placed, x=x, y=y) for x in xs for y in ys]
