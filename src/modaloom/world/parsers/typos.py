"""Caption with typing errors → factors: each word is corrected to the only known word one error away.

Shares no code with the renderer. An error is one deletion, insertion or substitution of a letter or a swap of
neighbours (Damerau 1964). Words with two errors, and short ones with any, stay unknown.
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
"""Least length of a word that is corrected."""


def parse_noisy(text: str) -> dict[str, str]:
    """`parse_caption` of the corrected text."""
    return parse_caption(re.sub("[a-z]+", lambda found: meant(found[0]), text))


def meant(word: str) -> str:
    """The only known word at most one error away; the word itself if there is none, or more than one."""
    near = [known for known in VOCABULARY if len(known) >= MIN_LENGTH and one_error_apart(word, known)]
    return near[0] if word not in VOCABULARY and len(near) == 1 else word


def one_error_apart(one: str, other: str) -> bool:
    """Whether the Damerau-Levenshtein distance of two words is at most 1."""
    for _ in range(2):  # strip the common prefix, then, reversed, the common suffix
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other)))
        one, other = one[shared:][::-1], other[shared:][::-1]
    return max(len(one), len(other)) <= 1 or (len(one) == 2 and one == other[::-1])
