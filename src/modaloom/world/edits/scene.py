"""A scene of one object and a change of one of its factors."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from modaloom.core.rng import derive
from modaloom.world import splits
from modaloom.world.scene import FACTORS, SIDE, STILL, VISIBLE
from modaloom.world.scene import Scene as Solo

EDITED = tuple(f"edited.{factor}" for factor in VISIBLE)
"""The facts that are seen after the edit."""


@dataclass(frozen=True)
class Scene:
    """A still scene before the edit, and the edit."""

    original: Solo
    changed: str
    """A factor in VISIBLE."""
    to: str
    """Its value after the edit, another one than before."""
    side: int = SIDE
    """Side of the images, pixels."""

    @property
    def before(self) -> Solo:
        """The scene of the first image."""
        return replace(self.original, side=self.side)

    @property
    def after(self) -> Solo:
        """The scene of the edited image, with the same nuisance."""
        changes: Mapping[str, str] = {self.changed: self.to}
        return replace(self.before, **changes)  # type: ignore[arg-type]

    @property
    def facts(self) -> dict[str, str]:
        """The visible factors, `changed` and `to`, and the visible factors after the edit."""
        seen, edited = self.before.factors, self.after.factors
        return {
            **{factor: seen[factor] for factor in VISIBLE},
            "changed": self.changed,
            "to": self.to,
            **{fact: edited[factor] for fact, factor in zip(EDITED, VISIBLE)},
        }

    def random(self, purpose: str) -> np.random.Generator:
        """A new generator for one purpose, so that streams have independent random numbers."""
        return self.original.random(purpose)


def scene(seed: int, split: str, index: int, fixed: Mapping[str, str] = splits.NONE) -> Scene:
    """Scene `index` of a split, whose pictures before and after the edit are both of the split's group.

    So no edit leads to a combination that is held out. The factor is uniform among those that can change, and
    so is its new value.

    Args:
        seed: of the world.
        split: a name in SPLITS.
        index: of the scene.
        fixed: factor → its value before the edit in every scene.
    """
    original = splits.scene(seed, split, index, {**fixed, "motion": STILL})
    edits = {factor: found for factor in VISIBLE if (found := _edits(original, factor, splits.SPLITS[split]))}
    changed = [*edits][derive(seed, split, index, "changed") % len(edits)]
    values = edits[changed]
    return Scene(original, changed, values[derive(seed, split, index, "to") % len(values)])


def check_fixed(fixed: Mapping[str, str]) -> None:
    """Raise `BadValue` for what `splits.check_fixed` refuses."""
    splits.check_fixed({**fixed, "motion": STILL})


def _edits(original: Solo, factor: str, group: str) -> list[str]:
    """The other values of a factor with which the picture is of the group."""
    factors = original.factors
    others = [value for value in FACTORS[factor] if value != factors[factor]]
    return [value for value in others if splits.group({**factors, factor: value}) == group]
