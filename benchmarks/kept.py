"""What finished cases found, kept in a JSON file: a benchmark that was stopped goes on where it was."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadRun
from modaloom.data.atomic_io import write_json


@dataclass(frozen=True)
class Kept:
    """The file, and the settings that hold for all of it."""

    path: Path
    settings: Mapping[str, Any]

    def case(self, name: str, measure: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """What is kept of a case, else what `measure` finds, as JSON has it."""
        if name not in self.cases():
            found = measure()
            write_json(self.path, {"settings": self.settings, "cases": {**self.cases(), name: found}})
        return self.cases()[name]

    def cases(self) -> dict[str, Mapping[str, Any]]:
        """All that are kept. Raises `BadRun` if they were found with other settings."""
        if not self.path.exists():
            return {}
        kept = json.loads(self.path.read_text(encoding="utf-8"))
        if kept["settings"] != json.loads(json.dumps(self.settings)):
            raise BadRun(
                f"{self.path} holds what {kept['settings']} found, not {dict(self.settings)}; "
                "name another --json, or remove it"
            )
        return dict(kept["cases"])
