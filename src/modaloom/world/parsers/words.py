"""Caption, question and answer → factors, by exact words. Shares no code with what writes them."""

import re
from collections.abc import Mapping

from modaloom.world.scene import INVALID

CAPTION_SLOTS: Mapping[str, str] = {
    "shape": "circle|square|triangle|star",
    "colour": "red|green|blue|yellow|purple|orange",
    "size": "small|tiny|large|huge",
    "position": "(?:top|middle|bottom) (?:left|centre|right)",
}
"""Slot → pattern of its values."""
CAPTION_GLUE = frozenset(["a", "the", "there", "is", "in", "at", "holds", "sits", "that", "it", "and"])
SAME: Mapping[str, str] = {"tiny": "small", "huge": "large"}

QUESTION_SLOTS: Mapping[str, str] = {
    "shape": "shape",
    "colour": "colour",
    "size": "size|small or large|how large",
    "position": "position|where",
    "background": "background",
}
"""Factor → pattern of the words that ask about it."""
QUESTION_GLUE = frozenset({"what", "which", "how", "is", "it", "its", "the", "or"}) | frozenset(
    {"shown", "does", "have", "sit", "dark", "light", "bright"}
)

ANSWER = re.compile(
    "small|large|dark|light|" + "|".join(CAPTION_SLOTS[slot] for slot in ("shape", "colour", "position"))
)
MOST_WORDS = 12


def parse_caption(text: str) -> dict[str, str]:
    """Shape, colour, size and position → value or `INVALID`.

    A slot that is missing or named twice is invalid. Where a word is unknown or said twice in a row, or there
    are more than 12, it is no caption: every slot is invalid.
    """
    found = _slots(text, CAPTION_SLOTS, CAPTION_GLUE)
    return {
        slot: SAME.get(values[0], values[0]) if len(values) == 1 else INVALID
        for slot, values in found.items()
    }


def parse_question(text: str) -> dict[str, str]:
    """`asked` → the one factor that the question is about, or `INVALID`."""
    found = _slots(text.removesuffix("?"), QUESTION_SLOTS, QUESTION_GLUE)
    asked = [slot for slot, words in found.items() if words]
    return {"asked": asked[0] if len(asked) == 1 else INVALID}


def parse_answer(text: str) -> dict[str, str]:
    """`answer` → the value, or `INVALID`."""
    return {"answer": text if ANSWER.fullmatch(text) else INVALID}


def _slots(text: str, patterns: Mapping[str, str], glue: frozenset[str]) -> dict[str, list[str]]:
    """Slot → what is said of it; nothing at all if another word than these and `glue` occurs."""
    whole = {slot: rf"\b(?:{pattern})\b" for slot, pattern in patterns.items()}
    rest = re.findall(r"[^\s,:]+", re.sub("|".join(whole.values()), " ", text))
    if len(text.split()) > MOST_WORDS or not glue.issuperset(rest) or re.search(r"\b(\w+) \1\b", text):
        return {slot: [] for slot in patterns}
    return {slot: re.findall(pattern, text) for slot, pattern in whole.items()}
