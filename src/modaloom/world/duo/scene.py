"""The scene of two objects: their factors, the relation between them, and seeded nuisance.

The relation determines the layout in the four corners, and which object is the first:

- left of: side by side, the first on the left;
- above: one above the other, the first on top;
- bigger than: in opposite corners, the first large and the second small.

So an image determines the relation, and the first object's position that of the second.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from modaloom.core.rng import derive
from modaloom.world.scene import FACTORS as SOLO
from modaloom.world.scene import SIDE

CORNERS = ("top left", "top right", "bottom left", "bottom right")
INVERSE: Mapping[str, str] = {"left of": "right of", "above": "below", "bigger than": "smaller than"}
"""Relation of the first object to the second → inverse relation."""

FACTORS: Mapping[str, tuple[str, ...]] = {
    **{
        f"{one}.{factor}": SOLO[factor]
        for one in ("first", "second")
        for factor in ("shape", "colour", "size")
    },
    "relation": tuple(INVERSE),
    "position": CORNERS,
    "background": SOLO["background"],
}
"""Factor → values; `position` is the first object's."""

ALLOWED_LAYOUTS: Mapping[str, frozenset[tuple[str, str, str]]] = {
    "left of": frozenset(product(SOLO["size"], SOLO["size"], ("top left", "bottom left"))),
    "above": frozenset(product(SOLO["size"], SOLO["size"], ("top left", "top right"))),
    "bigger than": frozenset(product(("large",), ("small",), CORNERS)),
}
"""Relation → allowed (size of the first, size of the second, position of the first)."""


def beside(relation: str, corner: str) -> str:
    """The corner of the other object, given a relation and the corner of one."""
    row, column = corner.split()
    if relation != "left of":
        row = {"top": "bottom", "bottom": "top"}[row]
    if relation != "above":
        column = {"left": "right", "right": "left"}[column]
    return f"{row} {column}"


@dataclass(frozen=True)
class Thing:
    """One object."""

    shape: str
    colour: str
    size: str

    @property
    def name(self) -> str:
        """Colour and shape, which distinguish the objects, e.g. `red circle`."""
        return f"{self.colour} {self.shape}"


@dataclass(frozen=True)
class Scene:
    """Two objects that differ in shape or colour, and a question about them."""

    first: Thing
    second: Thing
    relation: str
    position: str
    background: str
    asked: str
    """`number`, `position` or a relation."""
    about: str
    """The colour or shape to count, else the name of an object."""
    answer: str
    nuisance: int = 0
    """Seed of everything that is not a factor."""
    novel_words: bool = False
    """Whether the caption uses the held-out paraphrases."""
    side: int = SIDE
    """Side of the image, pixels."""

    @property
    def factors(self) -> dict[str, str]:
        """Factor → value, in the order of FACTORS."""
        things = {
            f"{name}.{factor}": getattr(thing, factor)
            for name, thing in (("first", self.first), ("second", self.second))
            for factor in ("shape", "colour", "size")
        }
        return things | {
            "relation": self.relation,
            "position": self.position,
            "background": self.background,
        }

    @property
    def facts(self) -> dict[str, str]:
        """The factors, and `asked`, `about` and `answer`."""
        return {**self.factors, "asked": self.asked, "about": self.about, "answer": self.answer}

    def random(self, purpose: str) -> np.random.Generator:
        """A new generator for one purpose, so that streams have independent random numbers."""
        return np.random.default_rng(derive(self.nuisance, purpose))
