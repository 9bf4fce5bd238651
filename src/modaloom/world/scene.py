"""The scene: discrete factors, and seeded nuisance that is independent of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from modaloom.core.rng import derive

ROWS = ("top", "middle", "bottom")
COLUMNS = ("left", "centre", "right")

FACTORS: Mapping[str, tuple[str, ...]] = {
    "shape": ("circle", "square", "triangle", "star"),
    "colour": ("red", "green", "blue", "yellow", "purple", "orange"),
    "size": ("small", "large"),
    "position": tuple(f"{row} {column}" for row in ROWS for column in COLUMNS),
    "background": ("dark", "light"),
}
"""Factor → its values. Every position has two words, so that a text's length does not tell it."""

INVALID = "invalid"
"""What a parser answers where it finds none of a factor's values."""


@dataclass(frozen=True)
class Scene:
    """One object before a background, and what is asked about it."""

    shape: str
    colour: str
    size: str
    position: str
    background: str
    asked: str
    """The factor that the question is about."""
    nuisance: int = 0
    """Seed of everything that is not a factor."""
    novel_words: bool = False
    """Whether its caption takes the held-out paraphrases."""

    @property
    def factors(self) -> dict[str, str]:
        """Factor → value, in the order of FACTORS."""
        return {name: getattr(self, name) for name in FACTORS}

    @property
    def facts(self) -> dict[str, str]:
        """The factors, the factor `asked` about and its value, the `answer`."""
        return {**self.factors, "asked": self.asked, "answer": getattr(self, self.asked)}

    def random(self, purpose: str) -> np.random.Generator:
        """A fresh generator for one purpose: a new stream does not change what another one draws."""
        return np.random.default_rng(derive(self.nuisance, purpose))
