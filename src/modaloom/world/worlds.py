"""The worlds: one object; two objects and a relation."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from modaloom.core.errors import choose
from modaloom.world import STREAMS, VISIBLE, duo
from modaloom.world.duo.parsers import PARSERS as DUO_PARSERS
from modaloom.world.duo.splits import scene as duo_scene
from modaloom.world.parsers import PARSERS
from modaloom.world.rule import StreamRule
from modaloom.world.scene import PART_OF
from modaloom.world.splits import scene


@dataclass(frozen=True)
class World:
    """All that evaluation and writing need of one."""

    name: str
    scene: Callable[[int, str, int], Any]
    """Seed, split and index → scene, which has `facts` and a `side`."""
    streams: Mapping[str, StreamRule]
    parsers: Mapping[str, Callable[[Any], dict[str, str]]]
    factors: tuple[str, ...]
    """What its pictures show."""
    part_of: Mapping[str, str]
    """Fact → the factor that it is a part of."""
    fix_answer: frozenset[str]
    """Facts that fix the answer together."""


SOLO = World("solo", scene, STREAMS, PARSERS, VISIBLE, PART_OF, frozenset({"asked", *VISIBLE}))
DUO = World(
    "duo",
    duo_scene,
    duo.STREAMS,
    DUO_PARSERS,
    tuple(duo.FACTORS),
    part_of={},
    fix_answer=frozenset({"asked", "about", *duo.SAID}),
)

WORLDS: Mapping[str, World] = {world.name: world for world in (SOLO, DUO)}


def world_of(facts: Iterable[Mapping[str, str]]) -> World:
    """The world that lines of facts name; that of one object where they name none. Raises `BadValue`."""
    named = next(iter(facts), {}).get("world", SOLO.name)
    return WORLDS[choose("world", named, WORLDS)]
