"""The world of edits: a picture of one object, an instruction, and the picture with that change alone."""

from collections.abc import Mapping

from PIL import Image

from modaloom.world.edits.scene import EDITED, Scene
from modaloom.world.edits.words import instruction
from modaloom.world.image import image
from modaloom.world.rule import StreamRule
from modaloom.world.scene import VISIBLE
from modaloom.world.words import caption


def before(scene: Scene) -> Image.Image:
    """PIL image, RGB, side × side, before the edit."""
    return image(scene.before)


def after(scene: Scene) -> Image.Image:
    """The same after the edit: nuisance is the same, and so is every pixel that the edit does not concern."""
    return image(scene.after)


def described(scene: Scene) -> str:
    """A caption of the picture before the edit."""
    return caption(scene.before)


STREAMS: Mapping[str, StreamRule] = {
    "image": StreamRule("image", before, determines=VISIBLE),
    "caption": StreamRule("text", described, determines=("shape", "colour", "size", "position")),
    "instruction": StreamRule("text", instruction, determines=("changed", "to")),
    "image.edited": StreamRule("image", after, determines=EDITED),
}
"""`changed` is the factor that the instruction changes, `to` its new value, `edited.…` what is then seen."""

__all__ = ["EDITED", "STREAMS", "Scene"]
