"""The scene of two objects: their factors, the relation between them, and seeded nuisance.

The relation lays the objects out in the four corners, and names the first of them:

- left of: side by side, the first one left;
- above: one over the other, the first one on top;
- bigger than: in opposite corners, the first one large and the second small.

So a picture tells the relation, and the first object's position tells the second one's.
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
"""Relation of the first object to the second → that of the second to the first."""

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
"""Factor → its values; `position` is the first object's."""

ALLOWED_LAYOUTS: Mapping[str, frozenset[tuple[str, str, str]]] = {
    "left of": frozenset(product(SOLO["size"], SOLO["size"], ("top left", "bottom left"))),
    "above": frozenset(product(SOLO["size"], SOLO["size"], ("top left", "top right"))),
    "bigger than": frozenset(product(("large",), ("small",), CORNERS)),
}
"""Relation → the sizes of both and the position of the first that it allows."""


def beside(relation: str, corner: str) -> str:
    """The corner of the object that has this relation to one in `corner`."""
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
        """What tells it from the other one: `red circle`."""
        return f"{self.colour} {self.shape}"


@dataclass(frozen=True)
class Scene:
    """Two objects that differ in shape or colour, and what is asked about them."""

    first: Thing
    second: Thing
    relation: str
    position: str
    background: str
    asked: str
    """`number`, `position` or a relation: what is …?"""
    about: str
    """A colour or shape to count, else the name of an object."""
    answer: str
    nuisance: int = 0
    """Seed of everything that is not a factor."""
    novel_words: bool = False
    """Whether its caption takes the held-out paraphrases."""
    side: int = SIDE
    """Of the picture, pixels."""

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
        """The factors, what is `asked`, `about` what, and the `answer`."""
        return {**self.factors, "asked": self.asked, "about": self.about, "answer": self.answer}

    def random(self, purpose: str) -> np.random.Generator:
        """A fresh generator for one purpose: a new stream does not change what another one draws."""
        return np.random.default_rng(derive(self.nuisance, purpose))
