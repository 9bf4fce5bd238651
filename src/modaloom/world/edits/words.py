"""Stream `instruction`: what to change, English, lower case."""

from collections.abc import Mapping

from modaloom.world.edits.scene import Scene
from modaloom.world.phrasebook import pick

INSTRUCTIONS: Mapping[str, tuple[str, ...]] = {
    "shape": ("turn it into a {to}", "make it a {to}", "change its shape to {to}"),
    "colour": ("make it {to}", "paint it {to}", "change its colour to {to}"),
    "size": ("make it {to}", "change its size to {to}", "it should be {to}"),
    "position": ("move it to the {to}", "put it at the {to}", "change its position to {to}"),
    "background": (
        "make the background {to}",
        "put it on a {to} background",
        "change the background to {to}",
    ),
}
"""Factor → templates of the same meaning."""


def instruction(scene: Scene) -> str:
    """How the picture should change, in at most seven words."""
    return pick(scene.random("instruction"), INSTRUCTIONS[scene.changed]).format(to=scene.to)
