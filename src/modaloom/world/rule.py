"""The definition of a stream: its renderer and the facts that it determines."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StreamRule:
    """The renderer of a stream and the facts that it determines."""

    modality: str
    """A name in MODALITIES."""
    make: Callable[[Any], Any]
    """Scene → value of the modality; for a derived stream, value of its source → value."""
    determines: tuple[str, ...]
    """Facts that can be read from the value, and that a generated value must match."""
    source: "StreamRule | None" = None
    """The stream from which it is derived."""
    always: bool = True
    """Whether it is written where no streams are named; sounds and clips are large, and need extras."""

    def render(self, scene: Any) -> Any:
        """Scene → value of the modality."""
        return self.make(scene if self.source is None else self.source.render(scene))


def render_all(rules: Mapping[str, StreamRule], names: Iterable[str], scene: Any) -> dict[str, Any]:
    """Stream → value; common sources are rendered once."""
    made: dict[StreamRule, Any] = {}

    def value(rule: StreamRule) -> Any:
        if rule not in made:
            made[rule] = rule.make(scene if rule.source is None else value(rule.source))
        return made[rule]

    return {name: value(rules[name]) for name in names}
