"""Registry of restoration tasks. A new task is one file and one entry in TASKS."""

from collections.abc import Mapping
from typing import Any

from modaloom.modalities.signal_codec import SignalCodec
from modaloom.restorer.tasks.bandwidth import BANDWIDTH
from modaloom.restorer.tasks.base import Signals, Task
from modaloom.restorer.tasks.colorize import COLORIZE
from modaloom.restorer.tasks.declip import DECLIP
from modaloom.restorer.tasks.denoise import DENOISE, DENOISE_SOUND
from modaloom.restorer.tasks.generate import GENERATE
from modaloom.restorer.tasks.image_to_image import IMAGE_TO_IMAGE, SOUND_TO_SOUND
from modaloom.restorer.tasks.inpaint import INPAINT, INPAINT_SOUND
from modaloom.restorer.tasks.jpeg import JPEG
from modaloom.restorer.tasks.neighbours import with_neighbours
from modaloom.restorer.tasks.restore import RESTORE, RESTORE_ANY, RESTORE_CLIPS
from modaloom.restorer.tasks.style import STYLE
from modaloom.restorer.tasks.superres import SUPERRES
from modaloom.restorer.tasks.vary import VARY
from modaloom.runs.card import PIPELINE

__all__ = ["EVERY_TASK", "TASKS", "TASKS_OF_CLIPS", "Signals", "Task", "pipeline_of", "tasks_of"]

TASKS: dict[str, Task[Any]] = {
    "superres": SUPERRES,
    "colorize": COLORIZE,
    "inpaint": INPAINT,
    "denoise": DENOISE,
    "jpeg": JPEG,
    "image_to_image": IMAGE_TO_IMAGE,
    "refine": IMAGE_TO_IMAGE,
    "vary": VARY,
    "generate": GENERATE,
    "restore": RESTORE,
    "style": STYLE,
}
"""`refine` is `image_to_image` whose inputs are a tokenizer's reconstructions of the targets."""

TASKS_OF_ANY: Mapping[str, Task[Any]] = {
    **{name: task for name, task in TASKS.items() if not task.needs_8_bits},
    "restore": RESTORE_ANY,
}

TASKS_OF_SOUNDS: Mapping[str, Task[Any]] = {
    "superres": BANDWIDTH,
    "inpaint": INPAINT_SOUND,
    "denoise": DENOISE_SOUND,
    "declip": DECLIP,
    "image_to_image": SOUND_TO_SOUND,
    "refine": SOUND_TO_SOUND,
    "vary": VARY,
    "generate": GENERATE,
}

TASKS_OF_CLIPS: Mapping[str, Task[Any]] = {
    "superres": SUPERRES,
    "inpaint": INPAINT,
    "denoise": with_neighbours(DENOISE),
    "jpeg": with_neighbours(JPEG),
    "image_to_image": IMAGE_TO_IMAGE,
    "restore": with_neighbours(RESTORE_CLIPS),
}
"""Those that are local in time, since clips are answered a stretch at a time. What is lost of each frame by
itself, the frames beside it tell; of a smaller frame they tell nothing that it does not."""

TASKS_OF_VOLUMES: Mapping[str, Task[Any]] = {
    "superres": SUPERRES,
    "inpaint": INPAINT,
    "denoise": DENOISE,
    "image_to_image": IMAGE_TO_IMAGE,
    "vary": VARY,
    "generate": GENERATE,
}
"""Slices along the first axis have its place of frames, which super-resolution keeps."""

EVERY_TASK: Mapping[str, Task[Any]] = {**TASKS_OF_SOUNDS, **TASKS}
"""By name, for what all tasks of a name share: which streams they take, which options they have."""


def tasks_of(codec: SignalCodec) -> Mapping[str, Task[Any]]:
    """The tasks that signals of this kind can have: those of sounds, clips or volumes, all of pictures, or
    those of these that do not need 8-bit colours."""
    of_pictures = TASKS if codec.is_8_bit else TASKS_OF_ANY
    of_stacks = TASKS_OF_CLIPS if codec.is_8_bit else TASKS_OF_VOLUMES
    return {1: TASKS_OF_SOUNDS, 2: of_pictures, 3: of_stacks}[codec.axes]


def pipeline_of(codec: SignalCodec, task: Task[Any]) -> str:
    """The hub's name of what a task does with such signals (https://huggingface.co/tasks)."""
    kind = {1: "audio", 2: "image", 3: "video" if codec.is_8_bit else "image"}[codec.axes]
    if task.unconditional:
        return {"image": "unconditional-image-generation"}.get(kind, PIPELINE)
    return f"{kind}-to-{kind}"
