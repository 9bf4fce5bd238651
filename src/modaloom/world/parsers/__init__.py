"""Parsers of generated values → factors, or `INVALID`. Hand-written; share no code with the renderers."""

from collections.abc import Callable, Mapping
from typing import Any

from modaloom.world.parsers.brief import BRIEF
from modaloom.world.parsers.chinese import CLASSICAL, PLAIN
from modaloom.world.parsers.derived import parse_gray, parse_mosaic, parse_paint, parse_small
from modaloom.world.parsers.image import parse_image
from modaloom.world.parsers.music import parse_music
from modaloom.world.parsers.record import parse_record
from modaloom.world.parsers.speech import (
    parse_narrow,
    parse_other,
    parse_reference,
    parse_robot,
    parse_speech,
)
from modaloom.world.parsers.typos import parse_noisy
from modaloom.world.parsers.video import parse_video
from modaloom.world.parsers.words import parse_answer, parse_caption, parse_question

PARSERS: Mapping[str, Callable[[Any], dict[str, str]]] = {
    "image": parse_image,
    "image.gray": parse_gray,
    "image.small": parse_small,
    "image.paint": parse_paint,
    "image.mosaic": parse_mosaic,
    "caption": parse_caption,
    "question": parse_question,
    "answer": parse_answer,
    "record": parse_record,
    "caption.zh": PLAIN.parse_caption,
    "caption.classical": CLASSICAL.parse_caption,
    "caption.brief": BRIEF.parse_caption,
    "caption.noisy": parse_noisy,
    "speech": parse_speech,
    "speech.other": parse_other,
    "speech.reference": parse_reference,
    "speech.robot": parse_robot,
    "speech.narrow": parse_narrow,
    "music": parse_music,
    "video": parse_video,
}
"""Stream → parser: value → {fact that the stream determines: value or `INVALID`}."""

__all__ = ["PARSERS"]
