"""The complete exception tree:

ModaloomError(ValueError)   an error that the caller can correct; the message says what was got,
│                           what is allowed and what to do                        (exit code 2)
├── BadValue                an option, a value or a config key is out of its range or unknown
├── BadFile                 a file cannot be read in its declared format; `path` names it
├── BadFolder               a folder is missing, empty or contradicts the data contract
└── BadRun                  a run folder is damaged, unfinished, busy or of an unknown version
WorkFailed(RuntimeError)    the call was valid and the work failed (NaN, disk full)   (exit code 1)
├── RankZeroStopped         rank 0 of a training has stopped, and says why itself
└── PartlyFailed            some inputs failed, `failures` names them; the results of the others are kept
"""

import difflib
import numbers
from collections.abc import Iterable, Sequence
from itertools import islice

from modaloom.core.renamed import new_name

MAX_NAMED = 5
"""Entries of a list that a message names."""
MAX_SHOWN = 120
"""Characters of a value that a message shows."""


class ModaloomError(ValueError):
    """An error that the caller can correct."""


class BadValue(ModaloomError):
    """An option, a value or a config key is out of its range or unknown."""


class BadFile(ModaloomError):
    """A file cannot be read in its declared format."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class BadFolder(ModaloomError):
    """A folder is missing, empty or contradicts the data contract."""


class BadRun(ModaloomError):
    """A run folder is damaged, unfinished, busy or of an unknown version."""


class WorkFailed(RuntimeError):
    """The call was valid and the work failed."""


class RankZeroStopped(WorkFailed):
    """Rank 0 of a training has stopped, and says why itself."""


class PartlyFailed(WorkFailed):
    """Some inputs failed; the results of the others are kept."""

    def __init__(self, failures: Sequence[str], kept: str) -> None:
        lines = [f"  {failure}" for failure in failures[:MAX_NAMED]]
        more = len(failures) - len(lines)
        lines += [f"  and {more:,} more"] if more else []
        super().__init__("\n".join([f"{len(failures):,} failed; {kept}", *lines]))
        self.failures = failures


def bounded(names: Iterable[object], separator: str = ", ") -> str:
    """The first few of a list, and how many more there are: `a, b, c, d, e and 4,995 more`."""
    rest = iter(names)
    shown = separator.join(map(str, islice(rest, MAX_NAMED)))
    more = sum(1 for _ in rest)
    return f"{shown} and {more:,} more" if more else shown


def short(value: object) -> str:
    """The beginning of a value's `repr`."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def first_line(error: Exception) -> str:
    """What an error of a library says first, or what it is."""
    lines = str(error).strip().splitlines()
    return lines[0][:MAX_SHOWN] if lines else type(error).__name__


def shown(value: object) -> str:
    """A value in a message: its type, and what it is if that is short; never an address in memory."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{name} {short(value)}" if isinstance(value, str | bytes | numbers.Number) else name


def check_names(kind: str, names: str | Iterable[str]) -> tuple[str, ...]:
    """One name, or several → all of them. Raises `BadValue` for what is no name."""
    found = (names,) if isinstance(names, str) else names
    if not isinstance(found, Iterable):
        raise BadValue(f"{kind} is {shown(names)}; give a name, or a list of names")
    found = tuple(found)
    for name in found:
        if not isinstance(name, str):
            raise BadValue(f"{kind} holds {shown(name)}; give names")
    return found


def check_count(name: str, value: int, low: int, high: float = float("inf")) -> None:
    """Raise `BadValue` unless `value` is a whole number, low ≤ value ≤ high."""
    if not isinstance(value, numbers.Integral):
        raise BadValue(f"{name} is {shown(value)}; it must be a whole number")
    check_range(name, value, low, high)


def check_choice(kind: str, name: str, allowed: Iterable[str]) -> str:
    """Return `name` if it is allowed; raise `BadValue` with the closest match and all choices otherwise."""
    names = list(allowed)
    if name in names:
        return name
    names.sort()
    if not isinstance(name, str):
        raise BadValue(f"{kind} is {shown(name)}; allowed: {', '.join(names) or 'none'}")
    if new := new_name(name, names):
        raise BadValue(f"{kind} {name!r} is now called {new!r}")
    closest = difflib.get_close_matches(name, names, n=1)
    hint = f" (did you mean {closest[0]!r}?)" if closest else ""
    raise BadValue(f"unknown {kind} {short(name)}{hint}; allowed: {', '.join(names) or 'none'}")


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
    if not isinstance(value, numbers.Real):
        raise BadValue(f"{name} is {shown(value)}; it must be a number")
    if not (low < value if open_low else low <= value) or not value <= high:
        lower = f"more than {low:g}" if open_low else f"at least {low:g}"
        upper = "" if high == float("inf") else f" and at most {high:g}"
        raise BadValue(f"{name} is {value:g}; it must be {lower}{upper}")
