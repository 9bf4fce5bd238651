"""A closed language as its parsers know it: phrases that mean something, and glue between them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from modaloom.world.scene import INVALID, STILL

MAX_PHRASES = 12


@dataclass(frozen=True)
class Lexicon:
    """What may be said in a text, all of it."""

    slots: Mapping[str, Mapping[str, str]]
    """Slot → phrase → the value that it means."""
    glue: Iterable[str]
    """Phrases that mean nothing."""
    edge: str = r"\b"
    """Pattern of a phrase's ends."""
    skip: str = r"[\s,:]"
    """Pattern of the characters that may stand anywhere between phrases."""

    def parse(self, text: str) -> dict[str, str]:
        """Slot → value, or `INVALID` for a slot that is missing or named twice.

        Where anything unknown is said, something twice in a row or more than 12 phrases in all, it is no text
        of this language: every slot is invalid.
        """
        return self._values(self._said(text))

    def parse_caption(self, text: str) -> dict[str, str]:
        """`parse`, but a caption without the slot `motion` says that nothing moves."""
        said = self._said(text)
        rests = bool(said) and not self.slots["motion"].keys() & said
        return self._values(said) | ({"motion": STILL} if rests else {})

    def _values(self, said: list[str]) -> dict[str, str]:
        found = {slot: [means[p] for p in said if p in means] for slot, means in self.slots.items()}
        return {slot: values[0] if len(values) == 1 else INVALID for slot, values in found.items()}

    def _said(self, text: str) -> list[str]:
        """The phrases in order; none for a text that is not of this language."""
        said = self._phrase.findall(text)
        rest = re.sub(self.skip, "", self._phrase.sub("", text))
        fits = not rest and len(said) <= MAX_PHRASES and all(one != two for one, two in pairwise(said))
        return said if fits else []

    @cached_property
    def _phrase(self) -> re.Pattern[str]:
        """Any phrase, the longest that fits."""
        known = sorted({*self.glue, *(p for means in self.slots.values() for p in means)}, key=len)
        return re.compile(f"{self.edge}(?:{'|'.join(map(re.escape, reversed(known)))}){self.edge}")


def moves(orders: Iterable[str], ways: Mapping[str, str], paces: Mapping[str, str]) -> dict[str, str]:
    """Phrase → motion, for all orders of a {way} and a {pace}: tables of word → value."""
    return {
        order.format(way=way, pace=pace): f"{ways[way]} {paces[pace]}"
        for order in orders
        for way in ways
        for pace in paces
    }
