"""The built-in world: procedural paired data with exact ground truth.

A `Scene` of discrete factors is rendered by every stream of STREAMS; generated values are parsed back into
factors by PARSERS, which share no code with the renderers. A new stream is a file with its renderer, one with
its parser, and a line in each table. The scene also has factors for audio and video (motion, tempo,
instrument, register, voice); a stream lists in `determines` the factors that it shows.
"""

from collections.abc import Mapping

from modaloom.world.brief import BRIEF
from modaloom.world.chinese import CHINESE, CLASSICAL
from modaloom.world.derived import gray, mosaic, paint, small
from modaloom.world.derived_speech import narrow, robot
from modaloom.world.image import image
from modaloom.world.music import music
from modaloom.world.record import record
from modaloom.world.rule import StreamRule
from modaloom.world.scene import FACTORS, VISIBLE, Scene
from modaloom.world.speech import other, reference, speech
from modaloom.world.typos import noisy
from modaloom.world.video import video
from modaloom.world.words import answer, caption, question

_IMAGE = StreamRule("image", image, determines=VISIBLE)
_GREY = tuple(name if name != "colour" else "tone" for name in VISIBLE)

SAID = ("shape", "colour", "size", "position", "motion")
"""The factors that a caption states."""
SPOKEN = ("shape", "colour", "size", "position", "voice")
"""The factors that can be heard in speech."""
_SPEECH = StreamRule("audio", speech, determines=SPOKEN, always=False)

STREAMS: Mapping[str, StreamRule] = {
    "image": _IMAGE,
    "image.gray": StreamRule("image", gray, determines=_GREY, source=_IMAGE),
    "image.small": StreamRule("image", small, determines=VISIBLE, source=_IMAGE),
    "image.paint": StreamRule("image", paint, determines=VISIBLE, source=_IMAGE),
    "image.mosaic": StreamRule("image", mosaic, determines=VISIBLE, source=_IMAGE),
    "caption": StreamRule("text", caption, determines=SAID),
    "question": StreamRule("text", question, determines=("asked",)),
    "answer": StreamRule("text", answer, determines=("answer",)),
    "record": StreamRule("record", record, determines=(*VISIBLE, "speed", "tempo")),
    "caption.zh": StreamRule("text", CHINESE.render, determines=SAID),
    "caption.classical": StreamRule("text", CLASSICAL.render, determines=SAID),
    "caption.brief": StreamRule("text", BRIEF.render, determines=SAID),
    "caption.noisy": StreamRule("text", noisy, determines=SAID),
    "speech": _SPEECH,
    "speech.other": StreamRule("audio", other, determines=SPOKEN[:-1], always=False),
    "speech.reference": StreamRule("audio", reference, determines=("voice",), always=False),
    "speech.robot": StreamRule("audio", robot, determines=SPOKEN, source=_SPEECH, always=False),
    "speech.narrow": StreamRule("audio", narrow, determines=SPOKEN, source=_SPEECH, always=False),
    "music": StreamRule("audio", music, determines=("tempo", "instrument", "register"), always=False),
    "video": StreamRule("video", video, determines=(*VISIBLE, "motion", "tempo"), always=False),
}
"""`asked` is the factor that the question is about, `answer` its value, `speed` a part of the motion, `tone`
of the colour; see `Scene.facts`."""

__all__ = ["FACTORS", "STREAMS", "VISIBLE", "Scene", "StreamRule"]
