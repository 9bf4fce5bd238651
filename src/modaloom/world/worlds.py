"""The table of worlds: one object; two objects and a relation; edits of one object; a clinic."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from modaloom.core.errors import check_choice
from modaloom.world import FACTORS, STREAMS, VISIBLE, clinic, duo, edits
from modaloom.world.duo.parsers import PARSERS as DUO_PARSERS
from modaloom.world.duo.splits import check_fixed as check_duo
from modaloom.world.duo.splits import scene as duo_scene
from modaloom.world.edits.parsers import PARSERS as EDIT_PARSERS
from modaloom.world.edits.scene import check_fixed as check_edits
from modaloom.world.edits.scene import scene as edit_scene
from modaloom.world.on_beat import Beat
from modaloom.world.parsers import PARSERS
from modaloom.world.rule import StreamRule
from modaloom.world.scene import PART_OF
from modaloom.world.splits import SPLITS, check_fixed, scene


@dataclass(frozen=True)
class World:
    """The contract of a world, for writing and evaluation."""

    name: str
    scene: Callable[[int, str, int, Mapping[str, str]], Any]
    """Seed, split, index and fixed factors → scene, which has `facts` and a `side`."""
    check_fixed: Callable[[Mapping[str, str]], None]
    """Raises `BadValue` for factors or values that cannot be fixed."""
    streams: Mapping[str, StreamRule]
    parsers: Mapping[str, Callable[[Any], dict[str, str]]]
    factors: frozenset[str]
    """Names of the factors."""
    part_of: Mapping[str, str]
    """Fact → the factor of which it is a function."""
    fix_answer: frozenset[str]
    """Facts that together determine the `answers`."""
    answers: frozenset[str] = frozenset({"answer"})
    splits: tuple[str, ...] = tuple(SPLITS)
    """Names of the folders."""
    beat: Beat | None = None
    """A clip and a sound that have one."""


SOLO = World(
    "solo",
    scene,
    check_fixed,
    STREAMS,
    PARSERS,
    frozenset(FACTORS),
    PART_OF,
    fix_answer=frozenset({"asked", *VISIBLE}),
    beat=Beat("video", "music"),
)
DUO = World(
    "duo",
    duo_scene,
    check_duo,
    duo.STREAMS,
    DUO_PARSERS,
    frozenset(duo.FACTORS),
    part_of={},
    fix_answer=frozenset({"asked", "about", *duo.SAID}),
)
CLINIC = World(
    "clinic",
    clinic.patient.patient,
    clinic.patient.check_fixed,
    clinic.STREAMS,
    parsers={},
    factors=frozenset(clinic.patient.FACTS),
    part_of={},
    fix_answer=frozenset(),
    splits=("train", "val", "test"),
)
"""Without parsers, since no stream determines another: scores compare values with the truth."""

EDITS = World(
    "edits",
    edit_scene,
    check_edits,
    edits.STREAMS,
    EDIT_PARSERS,
    frozenset(VISIBLE),
    part_of={},
    fix_answer=frozenset({*VISIBLE, "changed", "to"}),
    answers=frozenset(edits.EDITED),
)

WORLDS: Mapping[str, World] = {world.name: world for world in (SOLO, DUO, EDITS, CLINIC)}


def world_of(facts: Iterable[Mapping[str, str]]) -> World:
    """The world of lines of facts; default: that of one object. Raises `BadValue` for an unknown one."""
    name = next(iter(facts), {}).get("world", SOLO.name)
    return WORLDS[check_choice("world", name, WORLDS)]
