"""Parsers of generated values → facts of two objects, or `INVALID`. Hand-written, not learned."""

from collections.abc import Callable, Mapping
from typing import Any

from modaloom.world.duo.parsers.image import parse_image
from modaloom.world.duo.parsers.words import parse_answer, parse_caption, parse_question

PARSERS: Mapping[str, Callable[[Any], dict[str, str]]] = {
    "image": parse_image,
    "caption": parse_caption,
    "question": parse_question,
    "answer": parse_answer,
}
"""Stream → parser: value → {fact that the stream determines: value or `INVALID`}."""

__all__ = ["PARSERS"]
