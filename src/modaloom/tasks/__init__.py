"""What a Restorer can be taught. A new task is one file and one line of the table."""

from typing import Any

from modaloom.tasks.base import Signals, Task
from modaloom.tasks.colorize import COLORIZE
from modaloom.tasks.denoise import DENOISE
from modaloom.tasks.generate import GENERATE
from modaloom.tasks.inpaint import INPAINT
from modaloom.tasks.jpeg import JPEG
from modaloom.tasks.paint import PAINT
from modaloom.tasks.restore import RESTORE
from modaloom.tasks.style import STYLE
from modaloom.tasks.superres import SUPERRES
from modaloom.tasks.vary import VARY

__all__ = ["TASKS", "Signals", "Task"]

TASKS: dict[str, Task[Any]] = {
    "superres": SUPERRES,
    "colorize": COLORIZE,
    "inpaint": INPAINT,
    "denoise": DENOISE,
    "jpeg": JPEG,
    "paint": PAINT,
    "refine": PAINT,
    "vary": VARY,
    "generate": GENERATE,
    "restore": RESTORE,
    "style": STYLE,
}
"""`refine` asks what `paint` does: there, the given stream is what a tokenizer made of the wanted one."""
