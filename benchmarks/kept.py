"""Results of finished cases in a JSON file, so that an interrupted benchmark can be resumed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadRun
from modaloom.data.atomic_io import write_json


@dataclass(frozen=True)
class Kept:
    """The file, and the settings of all its cases."""

    path: Path
    settings: Mapping[str, Any]

    def case(self, name: str, measure: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """The kept result of a case, else that of `measure`, after a JSON round trip."""
        if name not in self.cases():
            found = measure()
            write_json(self.path, {"settings": self.settings, "cases": {**self.cases(), name: found}})
        return self.cases()[name]

    def cases(self) -> dict[str, Mapping[str, Any]]:
        """All kept cases. Raises `BadRun` if they were measured with other settings."""
        if not self.path.exists():
            return {}
        kept = json.loads(self.path.read_text(encoding="utf-8"))
        if kept["settings"] != json.loads(json.dumps(self.settings)):
            raise BadRun(
                f"{self.path} has results for the settings {kept['settings']}, not {dict(self.settings)}; "
                "name another --json, or remove it"
            )
        return dict(kept["cases"])
