"""Parsers of generated values → facts of an edit, or `INVALID`. Share no code with the renderers."""

from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image

from modaloom.world.parsers.image import parse_image
from modaloom.world.parsers.words import COLOURS, PLACES, SHAPES, parse_caption
from modaloom.world.scene import INVALID

VALUES: Mapping[str, str] = {
    **dict.fromkeys(SHAPES, "shape"),
    **dict.fromkeys(COLOURS, "colour"),
    **dict.fromkeys(PLACES, "position"),
    **dict.fromkeys(("small", "large"), "size"),
    **dict.fromkeys(("dark", "light"), "background"),
}
"""Value → its factor."""


def parse_instruction(text: str) -> dict[str, str]:
    """`changed` and `to`, if the text names exactly one value; else `INVALID`."""
    padded = f" {text} "
    found = [value for value in VALUES if f" {value} " in padded]
    if len(found) != 1:
        return {"changed": INVALID, "to": INVALID}
    return {"changed": VALUES[found[0]], "to": found[0]}


def parse_edited(image: Image.Image) -> dict[str, str]:
    """`edited.shape`, … → value or `INVALID`."""
    return {f"edited.{factor}": value for factor, value in parse_image(image).items()}


PARSERS: Mapping[str, Callable[[Any], dict[str, str]]] = {
    "image": parse_image,
    "caption": parse_caption,
    "instruction": parse_instruction,
    "image.edited": parse_edited,
}
"""Stream → parser: value → {fact that the stream determines: value or `INVALID`}."""
