"""Registry of restoration tasks. A new task is one file and one entry in TASKS."""

from typing import Any

from modaloom.restorer.tasks.base import Signals, Task
from modaloom.restorer.tasks.colorize import COLORIZE
from modaloom.restorer.tasks.denoise import DENOISE
from modaloom.restorer.tasks.generate import GENERATE
from modaloom.restorer.tasks.image_to_image import IMAGE_TO_IMAGE
from modaloom.restorer.tasks.inpaint import INPAINT
from modaloom.restorer.tasks.jpeg import JPEG
from modaloom.restorer.tasks.restore import RESTORE
from modaloom.restorer.tasks.style import STYLE
from modaloom.restorer.tasks.superres import SUPERRES
from modaloom.restorer.tasks.vary import VARY

__all__ = ["TASKS", "Signals", "Task"]

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
