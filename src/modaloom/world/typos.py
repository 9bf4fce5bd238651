"""Stream `caption.noisy`: the very caption of the stream `caption`, with typing errors.

A word has at most one error, and only if it has four letters or more. The caption's words of that length are
three errors apart from each other and two from the shorter ones, so each can still be told.
"""

import re
from collections.abc import Callable
from string import ascii_lowercase

from modaloom.world.scene import Scene
from modaloom.world.words import caption

TYPO_PROBABILITY = 0.3
"""Chance that a word of four letters or more has an error."""

ERRORS: tuple[Callable[[str, int, str], str], ...] = (
    lambda word, at, letter: word[:at] + word[at + 1 :],
    lambda word, at, letter: word[:at] + letter + word[at:],
    lambda word, at, letter: word[:at] + letter + word[at + 1 :],
    lambda word, at, letter: word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
)
"""Left out, too much, mistaken, swapped: a word, a place in it and a letter → the word as it is typed."""


def noisy(scene: Scene) -> str:
    """The caption as it is typed in haste; it keeps its number of words."""
    rng = scene.random("caption.noisy")

    def typed(found: re.Match[str]) -> str:
        if rng.random() >= TYPO_PROBABILITY:
            return found[0]
        error, at, letter = (int(rng.integers(n)) for n in (len(ERRORS), len(found[0]), 26))
        return ERRORS[error](found[0], at, ascii_lowercase[letter])

    return re.sub("[a-z]{4,}", typed, caption(scene))
