"""Texts about two objects → facts, by exact words. Shares no code with the renderers."""

import re
from collections.abc import Mapping

from modaloom.world.duo.parsers.layout import LAYOUTS, first_corner
from modaloom.world.duo.scene import FACTORS
from modaloom.world.scene import INVALID

SHAPE, COLOUR = "circle|square|triangle|star", "red|green|blue|yellow|purple|orange"
CORNER = "(?:top|bottom) (?:left|right)"
RELATIONS: Mapping[str, tuple[str, bool]] = {
    "left of": ("left of", False),
    "right of": ("left of", True),
    "straight above": ("above", False),
    "straight below": ("above", True),
    "bigger than": ("bigger than", False),
    "smaller than": ("bigger than", True),
}
"""Words → relation, and whether the object named first is the relation's second one."""
SIZES: Mapping[str, str] = {"small": "small", "tiny": "small", "large": "large", "huge": "large"}

THING = re.compile(rf"\b({'|'.join(SIZES)}) ({COLOUR}) ({SHAPE})\b")
PLACE = re.compile(rf"\b{CORNER}\b(?! of)")
RELATION = re.compile(rf"\b(?:{'|'.join(RELATIONS)})\b")
GLUE = frozenset(["a", "the", "there", "is", "at", "sits"])
MAX_WORDS = 17

NAME, COUNTED = (
    rf"(?P<name>(?:{COLOUR}) (?:{SHAPE}))",
    rf"(?:(?P<colour>{COLOUR}) objects|(?P<shape>{SHAPE})s)",
)
QUESTIONS: tuple[tuple[str, str], ...] = (
    (rf"how many {COUNTED} are there", "number"),
    (rf"how many {COUNTED} does it show", "number"),
    (rf"what is the number of {COUNTED}", "number"),
    (rf"where is the {NAME}", "position"),
    (rf"where does the {NAME} sit", "position"),
    (rf"what is the position of the {NAME}", "position"),
    *(
        (rf"(?:what|which one|which object) is {words} the {NAME}", words.removeprefix("straight "))
        for words in RELATIONS
    ),
)
"""(pattern of a whole question, value of `asked`)."""
ANSWER = re.compile(rf"zero|one|two|{CORNER}|(?:{COLOUR}) (?:{SHAPE})")


def parse_caption(text: str) -> dict[str, str]:
    """Every factor except the background → value or `INVALID`.

    All are invalid unless exactly two objects, one relation and one corner are named, with no words that
    captions do not have. A corner that the relation does not allow is invalid alone.
    """
    invalid = {name: INVALID for name in FACTORS if name != "background"}
    things, places, relations = THING.findall(text), PLACE.findall(text), RELATION.findall(text)
    rest = re.sub("|".join(p.pattern for p in (THING, PLACE, RELATION)), " ", text)
    unknown = not GLUE.issuperset(re.findall(r"[^\s,:]+", rest)) or len(text.split()) > MAX_WORDS
    if unknown or (len(things), len(places), len(relations)) != (2, 1, 1):
        return invalid
    relation, swapped = RELATIONS[relations[0]]
    corner = first_corner(relation, places[0]) if swapped else places[0]
    return (
        _thing("first", *things[swapped])
        | _thing("second", *things[not swapped])
        | {
            "relation": relation,
            "position": corner if corner in LAYOUTS[relation] else INVALID,
        }
    )


def _thing(name: str, size: str, colour: str, shape: str) -> dict[str, str]:
    return {f"{name}.shape": shape, f"{name}.colour": colour, f"{name}.size": SIZES[size]}


def parse_question(text: str) -> dict[str, str]:
    """`asked` and `about` → value or `INVALID`."""
    for pattern, asked in QUESTIONS:
        if found := re.fullmatch(rf"{pattern}\?", text):
            return {"asked": asked, "about": next(about for about in found.groups() if about)}
    return {"asked": INVALID, "about": INVALID}


def parse_answer(text: str) -> dict[str, str]:
    """`answer` → the value, or `INVALID`."""
    return {"answer": text if ANSWER.fullmatch(text) else INVALID}
