"""The relation of two objects from their corners. Shares no code with the renderer."""

from collections.abc import Mapping

from modaloom.world.scene import INVALID

LAYOUTS: Mapping[str, Mapping[str, str]] = {
    "left of": {"top left": "top right", "bottom left": "bottom right"},
    "above": {"top left": "bottom left", "top right": "bottom right"},
    "bigger than": {
        "top left": "bottom right",
        "top right": "bottom left",
        "bottom left": "top right",
        "bottom right": "top left",
    },
}
"""Relation → corner of the first object → corner of the second."""


def relation_of(one: Mapping[str, str], other: Mapping[str, str]) -> str:
    """The relation of one object to another by their `size` and `position`, or `INVALID`."""
    places = one["position"], other["position"]
    found = [relation for relation, corners in LAYOUTS.items() if places in corners.items()]
    if not found or (found[0] == "bigger than" and (one["size"], other["size"]) != ("large", "small")):
        return INVALID
    return found[0]


def first_corner(relation: str, second: str) -> str:
    """The corner of the first object, given that of the second, or `INVALID`."""
    return next((first for first, corner in LAYOUTS[relation].items() if corner == second), INVALID)
