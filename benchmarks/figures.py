"""Shared by the benchmarks: figures beside targets, as Markdown and JSON, and common options."""

import argparse
import json
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal, TypeVar

T = TypeVar("T")
SIDES = {"≥": operator.ge, "≤": operator.le, ">": operator.gt}

Figures = Mapping[str, float]
"""Name → value. Figures that were not measured are absent."""


@dataclass(frozen=True)
class Target:
    """A figure and its bound; without one it is only shown."""

    name: str
    bound: float | None = None
    side: Literal["≥", "≤", ">"] = "≥"

    def met(self, value: float | None) -> bool | None:
        """None without a value or a bound."""
        if value is None or self.bound is None:
            return None
        return SIDES[self.side](value, self.bound)

    def __str__(self) -> str:
        return "" if self.bound is None else f"{self.side} {self.bound:g}"


def medians(columns: Iterable[Figures]) -> dict[str, float]:
    """Figure by figure, over the columns that have it."""
    columns = list(columns)
    names = dict.fromkeys(name for column in columns for name in column)
    return {name: median(column[name] for column in columns if name in column) for name in names}


def table(targets: Sequence[Target], columns: Mapping[str, Figures], judged: Iterable[str] = ()) -> str:
    """A Markdown table; `met` refers to all the judged columns, which are the last one if none is named."""
    rows = [["figure", "target", *columns, "met"], ["---", *["---:"] * (len(columns) + 1), "---"]]
    for target, met in zip(targets, _met(targets, columns, judged)):
        shown = [_number(column.get(target.name)) for column in columns.values()]
        rows.append([target.name, str(target), *shown, {True: "yes", False: "no", None: ""}[met]])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def records(
    targets: Sequence[Target], columns: Mapping[str, Figures], judged: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """{figure, target, met, COLUMN…} for each target, null if missing."""
    return [
        {
            "figure": target.name,
            "target": str(target) or None,
            "met": met,
            **{name: column.get(target.name) for name, column in columns.items()},
        }
        for target, met in zip(targets, _met(targets, columns, judged))
    ]


def publish(
    targets: Sequence[Target],
    columns: Mapping[str, Figures],
    path: Path | None,
    judged: Iterable[str] = (),
) -> None:
    """Print the table; with a path, also write its records there."""
    judged = [*judged]
    print(table(targets, columns, judged), flush=True)
    if path is not None:
        rows = records(targets, columns, judged)
        path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _met(
    targets: Sequence[Target], columns: Mapping[str, Figures], judged: Iterable[str]
) -> Iterator[bool | None]:
    """Whether every judged column that has the figure meets each target."""
    own = [columns[name] for name in [*judged] or [*columns][-1:] if name in columns]
    for target in targets:
        found = [met for column in own if (met := target.met(column.get(target.name))) is not None]
        yield all(found) if found else None


def by_seed(figures: Mapping[int, Figures]) -> dict[str, Figures]:
    """Columns: each seed, then the median."""
    return {**{f"seed {seed}": found for seed, found in figures.items()}, "median": medians(figures.values())}


def over_seeds(measured: Callable[..., Figures], options: argparse.Namespace) -> dict[str, Figures]:
    """`by_seed` of what is measured with each seed and all options but those of every benchmark."""
    own = {name: value for name, value in vars(options).items() if name not in ("seeds", "json")}
    return by_seed({seed: measured(**own, seed=seed) for seed in options.seeds})


def spread(values: Sequence[T], n: int) -> Sequence[T]:
    """At most n values, spread over all."""
    return values[:: max(1, len(values) // n)][:n]


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The options of every benchmark."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=integers, default=[0, 1, 2], help="such as 0,1,2")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    return parser


def integers(text: str) -> list[int]:
    """`0,1,2` → [0, 1, 2]."""
    return [int(seed) for seed in text.split(",")]


def numbers(text: str) -> list[float]:
    """`0.5,1` → [0.5, 1.0]."""
    return [float(number) for number in text.split(",")]


def words(text: str) -> list[str]:
    """`a,b` → [a, b]."""
    return text.split(",")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.3g}"
