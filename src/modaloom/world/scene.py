"""The scene: discrete factors, and seeded nuisance that is independent of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from modaloom.core.defaults import WORLD_SIDE
from modaloom.core.rng import derive

ROWS = ("top", "middle", "bottom")
COLUMNS = ("left", "centre", "right")
SIDE = WORLD_SIDE
"""Default side of an image, pixels."""
DIRECTIONS = ("left", "right", "up", "down")
STILL = "still"

FACTORS: Mapping[str, tuple[str, ...]] = {
    "shape": ("circle", "square", "triangle", "star"),
    "colour": ("red", "green", "blue", "yellow", "purple", "orange"),
    "size": ("small", "large"),
    "position": tuple(f"{row} {column}" for row in ROWS for column in COLUMNS),
    "background": ("dark", "light"),
    "motion": (STILL, *(f"{way} {speed}" for way in DIRECTIONS for speed in ("slow", "fast"))),
    "tempo": ("slow", "medium", "fast"),
    "instrument": ("bell", "pluck", "square"),
    "register": ("low", "high"),
    "voice": (
        *("en-us", "en-us+f1", "en-us+robert", "en-us+antonio", "en+f2", "en+Hugo", "en+boris", "en-029+m3"),
        *("en-029+f3", "en-029+Mario", "en-gb-scotland", "en-gb-scotland+sandro", "en-gb-scotland+grandma"),
        *("en-gb-x-rp+m7", "en-gb-x-rp+Storm", "en-gb-x-rp+Nguyen"),
        *("en+max", "en-us+f4", "en-029+m6", "en-gb-x-rp+Diogo"),
    ),
}
"""Factor → values. Every position has two words, so that a text's length does not reveal it; voices are names
of espeak-ng, accent and variant."""

VISIBLE = ("shape", "colour", "size", "position", "background")
"""Factors that an image shows: questions are about them, and splits hold out their combinations."""

RESTING: Mapping[str, str] = {
    "motion": STILL,
    "tempo": "medium",
    "instrument": "bell",
    "register": "low",
    "voice": "en-us",
}
"""Every other factor → its default value."""

PART_OF: Mapping[str, str] = {"speed": "motion", "tone": "colour"}
"""Fact → the factor of which it is a function."""

TONES: Mapping[str, str] = dict.fromkeys(("red", "blue", "purple"), "deep") | dict.fromkeys(
    ("orange", "yellow", "green"), "pale"
)
"""Colour → its group of equal lightness, all that a grey image shows of it; see `shapes.PALETTE`."""

INVALID = "invalid"
"""A parser's result if it finds none of a factor's values."""


@dataclass(frozen=True)
class Scene:
    """One object on a background, a question about it, and factors of sound and motion."""

    shape: str
    colour: str
    size: str
    position: str
    background: str
    asked: str
    """The factor of VISIBLE that the question is about."""
    nuisance: int = 0
    """Seed of everything that is not a factor."""
    novel_words: bool = False
    """Whether its texts use the held-out paraphrases."""
    motion: str = RESTING["motion"]
    tempo: str = RESTING["tempo"]
    instrument: str = RESTING["instrument"]
    register: str = RESTING["register"]
    voice: str = RESTING["voice"]
    side: int = SIDE
    """Side of the image, pixels."""

    @property
    def factors(self) -> dict[str, str]:
        """Factor → value, in the order of FACTORS."""
        return {name: getattr(self, name) for name in FACTORS}

    @property
    def direction(self) -> str:
        """One of DIRECTIONS, or `STILL`."""
        return self.motion.split()[0]

    @property
    def speed(self) -> str:
        """slow, fast or `STILL`."""
        return self.motion.split()[-1]

    @property
    def facts(self) -> dict[str, str]:
        """The factors, their parts `speed` and `tone`, and `asked` and `answer`."""
        return {
            **self.factors,
            "speed": self.speed,
            "tone": TONES[self.colour],
            "asked": self.asked,
            "answer": getattr(self, self.asked),
        }

    def random(self, purpose: str) -> np.random.Generator:
        """A new generator for one purpose, so that streams have independent random numbers."""
        return np.random.default_rng(derive(self.nuisance, purpose))
