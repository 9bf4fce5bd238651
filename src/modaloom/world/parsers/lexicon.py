"""A closed language for parsers: phrases with a meaning, and function words."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from modaloom.world.scene import INVALID, STILL

MAX_PHRASES = 12


@dataclass(frozen=True)
class Lexicon:
    """The complete vocabulary of a language."""

    slots: Mapping[str, Mapping[str, str]]
    """Slot → phrase → value."""
    glue: Iterable[str]
    """Phrases without a value."""
    edge: str = r"\b"
    """Pattern of phrase boundaries."""
    skip: str = r"[\s,:]"
    """Pattern of characters that are allowed between phrases."""

    def parse(self, text: str) -> dict[str, str]:
        """Slot → value, or `INVALID` for a slot that is missing or named twice.

        Every slot is invalid if the text has anything unknown, a phrase twice in a row, or more than
        MAX_PHRASES phrases.
        """
        return self._values(self._phrases(text))

    def parse_caption(self, text: str) -> dict[str, str]:
        """`parse`, with motion `STILL` for a valid text that names no motion."""
        phrases = self._phrases(text)
        still = bool(phrases) and not self.slots["motion"].keys() & phrases
        return self._values(phrases) | ({"motion": STILL} if still else {})

    def _values(self, phrases: list[str]) -> dict[str, str]:
        found = {slot: [means[p] for p in phrases if p in means] for slot, means in self.slots.items()}
        return {slot: values[0] if len(values) == 1 else INVALID for slot, values in found.items()}

    def _phrases(self, text: str) -> list[str]:
        """The phrases in order; empty for an invalid text."""
        phrases = self._phrase.findall(text)
        rest = re.sub(self.skip, "", self._phrase.sub("", text))
        fits = not rest and len(phrases) <= MAX_PHRASES and all(a != b for a, b in pairwise(phrases))
        return phrases if fits else []

    @cached_property
    def _phrase(self) -> re.Pattern[str]:
        """Any phrase, longest match first."""
        known = sorted({*self.glue, *(p for means in self.slots.values() for p in means)}, key=len)
        return re.compile(f"{self.edge}(?:{'|'.join(map(re.escape, reversed(known)))}){self.edge}")


def moves(orders: Iterable[str], ways: Mapping[str, str], paces: Mapping[str, str]) -> dict[str, str]:
    """Phrase → motion, for all `orders` of a {way} and a {pace}, given as tables of word → value."""
    return {
        order.format(way=way, pace=pace): f"{ways[way]} {paces[pace]}"
        for order in orders
        for way in ways
        for pace in paces
    }
