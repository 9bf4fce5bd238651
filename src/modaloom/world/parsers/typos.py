"""The mistyped caption → factors: every word is read as the known one that is one error away.

Shares no code with what makes the errors. An error is a letter that is missing, too much or wrong, or two
neighbours swapped (Damerau 1964). A word with two errors, and a short one with any, stays unknown.
"""

import re
from itertools import takewhile

from modaloom.world.parsers.words import CAPTION, parse_caption

VOCABULARY = {
    word
    for phrases in (CAPTION.glue, *CAPTION.slots.values())
    for phrase in phrases
    for word in phrase.split()
}
MIN_LENGTH = 4
"""Letters of a word that may be mistyped."""


def parse_noisy(text: str) -> dict[str, str]:
    """As `parse_caption`, of the words that were meant."""
    return parse_caption(re.sub("[a-z]+", lambda found: meant(found[0]), text))


def meant(word: str) -> str:
    """The one known word that is at most one error away; the word itself if there is none, or several."""
    near = [known for known in VOCABULARY if len(known) >= MIN_LENGTH and one_error_apart(word, known)]
    return near[0] if word not in VOCABULARY and len(near) == 1 else word


def one_error_apart(one: str, other: str) -> bool:
    """Whether at most one error makes one word of the other."""
    for _ in range(2):  # what they share at the start, then, reversed, at the end
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other)))
        one, other = one[shared:][::-1], other[shared:][::-1]
    return max(len(one), len(other)) <= 1 or (len(one) == 2 and one == other[::-1])
