"""The scene: discrete factors, and seeded nuisance that is independent of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from modaloom.core.rng import derive

ROWS = ("top", "middle", "bottom")
COLUMNS = ("left", "centre", "right")
SIDE = 32
"""Of a picture, pixels, where nothing else is asked for."""
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
    "voice": ("en-us", "en-gb+f2", "en-gb-scotland", "en-029+m3", "en-gb-x-rp+f5"),
}
"""Factor → its values. Every position has two words, so that a text's length does not tell it; the voices
carry espeak-ng's names."""

VISIBLE = ("shape", "colour", "size", "position", "background")
"""Factors that a picture shows: what is asked about, and what the splits combine."""

RESTING: Mapping[str, str] = {
    "motion": STILL,
    "tempo": "medium",
    "instrument": "bell",
    "register": "low",
    "voice": "en-us",
}
"""Every other factor, and its value in a scene that does not name it."""

PART_OF: Mapping[str, str] = {"speed": "motion", "tone": "colour"}
"""Fact → the factor that it is a part of: what fixes the factor fixes it, and it narrows the factor."""

TONES: Mapping[str, str] = dict.fromkeys(("red", "blue", "purple"), "deep") | dict.fromkeys(
    ("orange", "yellow", "green"), "pale"
)
"""Colour → its group of equal lightness: what grey tells of it; see `shapes.PALETTE`."""

INVALID = "invalid"
"""What a parser answers where it finds none of a factor's values."""


@dataclass(frozen=True)
class Scene:
    """One object before a background, what is asked about it, and what is heard with it."""

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
    """Whether its texts take the held-out paraphrases."""
    motion: str = RESTING["motion"]
    tempo: str = RESTING["tempo"]
    instrument: str = RESTING["instrument"]
    register: str = RESTING["register"]
    voice: str = RESTING["voice"]
    side: int = SIDE
    """Of the picture, pixels."""

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
        """The factors, their parts `speed` and `tone`, the factor `asked` about and the `answer`."""
        return {
            **self.factors,
            "speed": self.speed,
            "tone": TONES[self.colour],
            "asked": self.asked,
            "answer": getattr(self, self.asked),
        }

    def random(self, purpose: str) -> np.random.Generator:
        """A fresh generator for one purpose: a new stream does not change what another one draws."""
        return np.random.default_rng(derive(self.nuisance, purpose))
