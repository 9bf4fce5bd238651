"""Stream `caption.noisy`: the text of the stream `caption` with typing errors.

Only words of four or more letters have errors, at most one each. These words are at least three errors apart
from each other and two from shorter ones, so that errors can be corrected.
"""

import re
from collections.abc import Callable
from string import ascii_lowercase

from modaloom.world.scene import Scene
from modaloom.world.words import caption

TYPO_PROBABILITY = 0.3
"""Probability of an error in a word of four or more letters."""

ERRORS: tuple[Callable[[str, int, str], str], ...] = (
    lambda word, at, letter: word[:at] + word[at + 1 :],
    lambda word, at, letter: word[:at] + letter + word[at:],
    lambda word, at, letter: word[:at] + letter + word[at + 1 :],
    lambda word, at, letter: word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
)
"""Deletion, insertion, substitution, transposition: word, index and letter → word with the error."""


def noisy(scene: Scene) -> str:
    """The caption with typing errors; the number of words is unchanged."""
    rng = scene.random("caption.noisy")

    def typed(found: re.Match[str]) -> str:
        if rng.random() >= TYPO_PROBABILITY:
            return found[0]
        error, at, letter = (int(rng.integers(n)) for n in (len(ERRORS), len(found[0]), 26))
        return ERRORS[error](found[0], at, ascii_lowercase[letter])

    return re.sub("[a-z]{4,}", typed, caption(scene))
