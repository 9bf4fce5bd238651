"""The complete exception tree:

ModaloomError(ValueError)   an error that the caller can correct; the message says what was got,
│                           what is allowed and what to do                        (exit code 2)
├── BadValue                an option, a value or a config key is out of its range or unknown
├── BadFile                 a file cannot be read in its declared format; `path` names it
├── BadFolder               a folder is missing, empty or contradicts the data contract
└── BadRun                  a run folder is damaged, unfinished, busy or of an unknown version
WorkFailed(RuntimeError)    the call was valid and the work failed (NaN, disk full)   (exit code 1)
"""

import difflib
from collections.abc import Iterable
from os import PathLike

from modaloom.core.renamed import new_name


class ModaloomError(ValueError):
    """An error that the caller can correct."""


class BadValue(ModaloomError):
    """An option, a value or a config key is out of its range or unknown."""


class BadFile(ModaloomError):
    """A file cannot be read in its declared format."""

    def __init__(self, path: str | PathLike[str], reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class BadFolder(ModaloomError):
    """A folder is missing, empty or contradicts the data contract."""


class BadRun(ModaloomError):
    """A run folder is damaged, unfinished, busy or of an unknown version."""


class WorkFailed(RuntimeError):
    """The call was valid and the work failed."""


def check_choice(kind: str, name: str, allowed: Iterable[str]) -> str:
    """Return `name` if it is allowed; raise `BadValue` with the closest match and all choices otherwise."""
    names = sorted(allowed)
    if name in names:
        return name
    if new := new_name(name, names):
        raise BadValue(f"{kind} {name!r} is now called {new!r}")
    closest = difflib.get_close_matches(name, names, n=1)
    hint = f" (did you mean {closest[0]!r}?)" if closest else ""
    raise BadValue(f"unknown {kind} {name!r}{hint}; allowed: {', '.join(names) or 'none'}")


def check_range(
    name: str, value: float, low: float, high: float = float("inf"), *, open_low: bool = False
) -> None:
    """Check a number against an interval.

    Args:
        name: what the number is, for the message.
        value: the number; NaN is never in range.
        low: the least value allowed.
        high: the greatest value allowed.
        open_low: whether `low` itself is excluded.

    Raises:
        BadValue: unless low ≤ value ≤ high (low < value with `open_low`).
    """
    if not (low < value if open_low else low <= value) or not value <= high:
        lower = f"more than {low:g}" if open_low else f"at least {low:g}"
        upper = "" if high == float("inf") else f" and at most {high:g}"
        raise BadValue(f"{name} is {value:g}; it must be {lower}{upper}")
