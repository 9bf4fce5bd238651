"""What the rows of a table belong to: the files they name, samples of their key, or groups of samples."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath

from modaloom.data.layout import SPLIT, is_numbered, split_name
from modaloom.data.tables import Table

FILE = "file_name"
FILE_COLUMNS = re.compile(r"(?:(.+)_)?(?:file_?names?|file_?paths?|paths?|files?)", re.IGNORECASE)
"""Titles of columns of files; the group is the stream, if there is one."""
KEY_COLUMNS = re.compile(r"key|id|uid|name|stem", re.IGNORECASE)
"""Titles of columns that, if their cells are files, say nothing of the stream."""
PROBED = 200
"""Cells from which the meaning of a column is told."""
MOST = 0.5
"""Share of them that must name a file, a sample or a group."""
SPLITS = ("split", "set", "partition", "subset")
"""Titles of a column that says in which split a sample is."""


@dataclass(frozen=True)
class Row:
    """One row of a table, joined."""

    line: int
    files: Mapping[str, str] = field(default_factory=dict)
    """Stream ("": that of the file's name) → path as it is written."""
    keys: Sequence[str] = ()
    """Samples that it belongs to, if it names no files."""
    group: str | None = None
    """What the samples have in common, if that is more than their name."""
    unknown: str = ""
    """What it names, if there is no such sample."""


@dataclass(frozen=True)
class Join:
    """How a table is joined."""

    rows: Sequence[Row]
    used: Collection[str]
    """Columns that say what a row belongs to, which are no streams."""
    how: str
    """In words."""


class Samples:
    """The samples of a folder, by what a table may call them.

    Args:
        keys: of samples.
    """

    def __init__(self, keys: Collection[str]) -> None:
        self._keys = frozenset(keys)
        self._stems: dict[str, list[str]] = defaultdict(list)
        self._groups: dict[str, list[str]] = defaultdict(list)
        for key in keys:
            *folders, stem = key.split("/")
            self._stems[stem].append(key)
            for name in {*folders, *_prefixes(stem)} - {stem}:
                self._groups[name].append(key)

    def named(self, name: str) -> str | None:
        """The only sample of a key, or of the last part of one."""
        name = _normal(name)
        if name in self._keys:
            return name
        found = self._stems.get(name, [])
        return found[0] if len(found) == 1 else None

    def group(self, name: str) -> Sequence[str]:
        """Samples in folders of this name, or whose names begin with it."""
        return self._groups.get(_normal(name), [])


def join(
    table: Table,
    find: Callable[[str], Path | None],
    samples: Samples,
    shared: Mapping[str, Mapping[str, Sequence[str]]],
) -> Join | None:
    """Join a table; None if no column of it names anything.

    Args:
        table: the table.
        find: path as written → file of a sample, if there is one.
        samples: those of the folder.
        shared: column of tables joined before → its cells → keys.
    """
    found = {name: _share(cells, find) for name, cells in table.texts.items()}
    named = {name for name in found if name == FILE or name.endswith(f"_{FILE}")}
    if any(share >= MOST for share in found.values()):
        return _by_files(table, [name for name in found if found[name] >= MOST or name in named])
    return (
        _by(table, "samples", lambda name, cell: [key] if (key := samples.named(cell)) else [], unique=False)
        or _by(table, "groups", lambda name, cell: shared.get(name, {}).get(cell, []), unique=True)
        or _by(table, "groups", lambda name, cell: samples.group(cell), unique=True)
        or (_by_files(table, [name for name in found if name in named]) if named else None)
    )


def _by_files(table: Table, columns: Sequence[str]) -> Join:
    stream_of = {name: _stream_of(name) for name in columns}
    rows = [
        Row(line, {stream_of[name]: cell for name in columns if (cell := table.texts[name][i])})
        for i, line in enumerate(table.lines)
    ]
    return Join(rows, {*columns}, f"files by {', '.join(columns)}")


def _by(table: Table, what: str, find: Callable[[str, str], Sequence[str]], *, unique: bool) -> Join | None:
    """Join by the column whose cells name most; the first of them."""
    shares = {name: _share(cells, partial(find, name)) for name, cells in table.texts.items()}
    fit = [
        name
        for name, share in shares.items()
        if share >= MOST and not (unique and max(Counter(filter(None, table.texts[name])).values()) > 1)
    ]
    if not fit:
        return None
    name = max(fit, key=shares.__getitem__)
    rows = [
        Row(line, keys=find(name, cell), group=f"{name}={cell}" if what == "groups" else None, unknown=cell)
        for line, cell in zip(table.lines, table.texts[name])
    ]
    return Join(rows, {name}, f"{what} by {name}")


def _stream_of(column: str) -> str:
    """The stream that a column's files are of, "" for that of their names."""
    titled = FILE_COLUMNS.fullmatch(column)
    if titled:
        return titled[1] or ""
    return "" if KEY_COLUMNS.fullmatch(column) else column


def _share(cells: Sequence[str], find: Callable[[str], object]) -> float:
    """The share of the first cells with a text for which something is found."""
    probed = [*islice(filter(None, cells), PROBED)]
    return sum(bool(find(cell)) for cell in probed) / len(probed) if probed else 0.0


def table_split(table: Table) -> str:
    """The split that a table's own name says: `train.tsv`; empty if it says none."""
    name = split_name(table.path) if is_numbered(table.path) else table.path.stem
    return name if SPLIT.fullmatch(name) else ""


def split_column(table: Table) -> str | None:
    """The column that says in which split a row is."""
    for name, cells in table.texts.items():
        if name.lower() in SPLITS and any(cells) and all(SPLIT.fullmatch(c) for c in cells if c):
            return name
    return None


def place_below(root: Path, folder: Path, written: str) -> Iterator[Path]:
    """Paths below the root that a table in `folder` may mean; slashes of either kind."""
    path = PurePosixPath(written.strip().replace("\\", "/"))
    if not path.parts:
        return
    if path.is_absolute():
        if path.is_relative_to(root.absolute()):
            yield root / path.relative_to(root.absolute())
        return
    yield from (folder / path, root / path)


def _prefixes(stem: str) -> Iterator[str]:
    return (stem[: found.start()] for found in re.finditer(r"[_ -]", stem))


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)
