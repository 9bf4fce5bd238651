"""How a stream shows a scene."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StreamRule:
    """What makes a stream, and what it says."""

    modality: str
    """Its entry in MODALITIES."""
    make: Callable[[Any], Any]
    """Scene → value of that modality; of a derived stream, the value of its source → its own."""
    determines: tuple[str, ...]
    """Factors that the stream fixes and a generated one must match; it leaves the others free."""
    source: "StreamRule | None" = None
    """The stream that it derives from."""

    def render(self, scene: Any) -> Any:
        """Scene → value of the modality."""
        return self.make(scene if self.source is None else self.source.render(scene))


def render_all(rules: Mapping[str, StreamRule], names: Iterable[str], scene: Any) -> dict[str, Any]:
    """Stream → value; what several streams derive from is made once."""
    made: dict[StreamRule, Any] = {}

    def value(rule: StreamRule) -> Any:
        if rule not in made:
            made[rule] = rule.make(scene if rule.source is None else value(rule.source))
        return made[rule]

    return {name: value(rules[name]) for name in names}
