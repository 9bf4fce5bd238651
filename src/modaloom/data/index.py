"""The index of a folder while it is built: files by their names and layout, tables by what they name."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

from modaloom.core.errors import MAX_NAMED, BadFile, BadFolder, bounded, short
from modaloom.core.types import Sample
from modaloom.data.join import FILE_COLUMNS, Join, Row, Samples, join, place_below, split_column, table_split
from modaloom.data.layout import Arrangement, arrange, stream_name
from modaloom.data.names import METADATA, Name, parse_name, stream_names
from modaloom.data.tables import FORMATS, Cell, Table, read_table
from modaloom.data.walk import Problem, make_problem, walk_files

TEXT, RECORD = "text", "record"
"""The modalities of a table's cells: texts; numbers and truth values, as records of one column."""

Source = Path | str | Mapping[str, Cell]
"""The source of a value: a file, a literal text, or a literal record."""
Streams = dict[str, Source]
Find = Callable[[str], Path | None]
Shared = Mapping[str, dict[str, list[str]]]
"""Column of several tables → its cells → keys."""


class Index:
    """Samples of a folder.

    Args:
        root: the folder.
        layout: one of `LAYOUTS`.
    """

    def __init__(self, root: Path, layout: str) -> None:
        self.root, self.layout = root, layout
        self.streams: dict[str, Streams] = defaultdict(dict)
        self.seen: dict[str, tuple[str, str]] = {}
        """Stream → its modality and the file that determined it."""
        self.problems: dict[Problem, None] = {}
        """An ordered set."""
        self.split_of: dict[str, str] = {}
        """Key → split, as tables say."""
        self.group_of: dict[str, str] = {}
        """Key → its group, of samples that must be in one split."""
        self.joined: list[str] = []
        """How each table was joined."""
        self.arrangement: Arrangement
        self._bad_rows: Counter[Path] = Counter()
        self._variants: dict[str, list[Streams]] = defaultdict(list)
        """Key → further texts of that sample."""
        self._files: dict[Path, Name] = {}
        self._samples = Samples(())

    def read(self) -> None:
        """Index the folder. Raises `BadFolder` and `BadFile`."""
        tables, others = [], []
        for found in walk_files(self.root):
            if isinstance(found, Problem):
                self.problems[found] = None
            elif found.suffix.lower() in FORMATS:
                tables.append(found)
            else:
                others.append(found)
        self._parse(others)
        rows = [table for path in tables if (table := self._read_table(path)) is not None]
        self._place({cell for table in rows for cells in table.texts.values() for cell in cells})
        claimed = self._join(rows)
        for path, name in self._files.items():
            if path not in claimed:
                self.add(name.key, name.stream, name.modality, path, str(path))
        for key, variants in self._variants.items():
            self.group_of.setdefault(key, key)
            for number, streams in enumerate(variants, 2):
                self.streams[f"{key}#{number}"] = {**self.streams[key], **streams}
                self.group_of[f"{key}#{number}"] = self.group_of[key]
                if key in self.split_of:
                    self.split_of[f"{key}#{number}"] = self.split_of[key]

    def samples(self) -> list[Sample]:
        """All samples, sorted by key."""
        return [Sample(key, dict(sorted(self.streams[key].items()))) for key in sorted(self.streams)]

    def add(self, key: str, stream: str, modality: str, source: Source, where: str) -> None:
        """Add a value. Raises `BadFolder` if it contradicts another."""
        self._check(stream, modality, where)
        other = self.streams[key].setdefault(stream, source)
        if other != source:
            raise BadFolder(
                f"two values for stream {stream!r} of sample {key!r}: {_shown(other)} "
                f"and {_shown(source)} (from {where}); remove or rename one"
            )

    def _check(self, stream: str, modality: str, where: str) -> None:
        known, first = self.seen.setdefault(stream, (modality, where))
        if known != modality:
            raise BadFolder(
                f"stream {stream!r} is {known} in {first} and {modality} in {where}; "
                "give one of them another name between key and suffix"
            )

    def leave(self, path: Path, reason: str) -> None:
        """Record a file that is left out, or something in it."""
        self.problems[make_problem(self.root, path, reason)] = None

    def _parse(self, paths: Sequence[Path]) -> None:
        named = stream_names((str(path.parent), path.name) for path in paths)
        for path in paths:
            name = parse_name(path.name, named)
            if name is None:
                self.leave(path, f"has an unknown suffix ({path.suffix or 'none'})")
                continue
            key = unicodedata.normalize("NFC", (path.parent / name.key).relative_to(self.root).as_posix())
            self._files[path] = replace(name, key=key)
        self._samples = Samples({name.key for name in self._files.values()})

    def _place(self, words: Collection[str]) -> None:
        """Give each file the key and stream of the layout. `words`: cells of tables."""
        self.arrangement = arrange([*self._files.values()], self.layout, words)
        for path, name in [*self._files.items()]:
            placed = self.arrangement.place(name)
            if placed is None:
                self.leave(path, f"lies outside the layout ({self.arrangement.sentence})")
                del self._files[path]
            else:
                self._files[path] = placed

    def _join(self, tables: Sequence[Table]) -> set[Path]:
        """Add the rows of tables; returns the files that they name. Those that need others come last."""
        self._samples, waiting = Samples({name.key for name in self._files.values()}), [*tables]
        claimed: set[Path] = set()
        titles = Counter(name for table in waiting for name in table.texts)
        shared = {name: defaultdict[str, list[str]](list) for name, count in titles.items() if count > 1}
        alone, several, by_name = not self._files, len(waiting) > 1, _by_name(self._files)
        for last in (False, True):
            for table in [*waiting]:
                find = partial(self._find, by_name, table.path.parent)
                found = join(table, find, self._samples, shared)
                if found is None and alone and last:
                    found = self._standing_alone(table, several)
                if found is not None:
                    waiting.remove(table)
                    claimed |= self._add_table(table, found, find, shared)
        for table in waiting:
            self._leave_table(table)
        return claimed

    def _find(self, by_name: Mapping[str, Sequence[Path]], folder: Path, written: str) -> Path | None:
        """The file that a table in `folder` means: by its place, or the only one of this name."""
        known = next((p for p in place_below(self.root, folder, written) if p in self._files), None)
        same = by_name.get(written, [])
        return same[0] if known is None and len(same) == 1 else known

    def _read_table(self, path: Path) -> Table | None:
        def is_named(cell: str) -> bool:
            places = place_below(self.root, path.parent, cell)
            return self._samples.named(cell) is not None or any(place in self._files for place in places)

        try:
            return read_table(path, is_named)
        except BadFile as error:
            if path.name in METADATA:
                raise
            self.leave(path, error.reason)
            return None

    def _leave_table(self, table: Table) -> None:
        columns = bounded(map(repr, table.texts))
        reason = f"has no column file_name or NAME_file_name, nor one that names samples; it has {columns}"
        if table.path.name in METADATA:
            raise BadFile(table.path, reason)
        self.leave(table.path, reason)

    def _standing_alone(self, table: Table, several: bool) -> Join:
        """Each row is a sample."""
        place = table.path.relative_to(self.root).with_suffix("").as_posix()
        width = len(str(len(table.lines)))
        numbers = [f"{i:0{width}}" for i in range(1, len(table.lines) + 1)]
        absent = {name for name in table.texts if FILE_COLUMNS.fullmatch(name)}
        for name in sorted(absent):
            self.leave(table.path, f"column {short(name)} names no file of this folder")
        rows = [
            Row(line, keys=[f"{place}/{number}" if several else number])
            for line, number in zip(table.lines, numbers)
        ]
        return Join(rows, absent, "rows are samples")

    def _add_table(self, table: Table, found: Join, find: Find, shared: Shared) -> set[Path]:
        """Add the rows of a joined table; returns the files that they name."""
        place = table.path.relative_to(self.root).as_posix()
        self.joined.append(f"{place}: {found.how}")
        for problem in table.problems:
            self.leave(table.path, problem)
        for name in shared.keys() & found.used:
            self._forget(stream_name(name))
        split, said = split_column(table), table_split(table)
        columns = {n: stream_name(n) for n in table.cells if n not in found.used and n != split}
        literals: dict[str, dict[int, list[Streams]]] = defaultdict(dict)
        claimed: set[Path] = set()
        for i, row in enumerate(found.rows):
            files = self._files_of(table, row, find)
            claimed |= {*files.values()}
            keys = [*row.keys] or [self._files[path].key for path in files.values()][:1]
            for stream, path in files.items():
                self.add(keys[0], stream, self._files[path].modality, path, f"{table.path}, line {row.line}")
            cells = [*_expanded({columns[name]: table.cells[name][i] for name in columns})]
            for key in keys:
                literals[key][row.line] = cells
                if row.group is not None:
                    self.group_of[key] = row.group
                if name := table.texts[split][i] if split is not None else said:
                    self.split_of[key] = name
                for column in shared.keys() & table.texts.keys():
                    shared[column][table.texts[column][i]].append(key)
        for key, rows in literals.items():
            self._add_cells(table, key, rows)
        if (more := self._bad_rows[table.path] - MAX_NAMED) > 0:
            self.leave(table.path, f"{more:,} more lines name no readable sample file, or none")
        return claimed

    def _add_cells(self, table: Table, key: str, rows: Mapping[int, Sequence[Streams]]) -> None:
        """Add the texts and records of a sample's rows: those that differ are variants of it."""
        different: list[Streams] = []
        for streams in (one for cells in rows.values() for one in cells):
            if streams not in different:
                different.append(streams)
        where = f"{table.path}, line {min(rows)}"
        for stream, source in different[0].items():
            self.add(key, stream, TEXT if isinstance(source, str) else RECORD, source, where)
        for streams in different[1:]:
            for stream, source in streams.items():
                self._check(stream, TEXT if isinstance(source, str) else RECORD, where)
            self._variants[key].append(streams)

    def _files_of(self, table: Table, row: Row, find: Find) -> Mapping[str, Path]:
        """Stream → file of a row."""
        files = {}
        for stream, written in row.files.items():
            path = find(written)
            if path is None:
                self._leave_row(table, row, f"names {short(written)}, which is not a readable sample file")
            else:
                files[stream or self._files[path].stream] = path
        if not row.files and not row.keys:
            unknown = f"names {short(row.unknown)}, which is no sample" if row.unknown else "has no file"
            self._leave_row(table, row, unknown)
        return files

    def _leave_row(self, table: Table, row: Row, reason: str) -> None:
        """Name the first few, and count the others."""
        self._bad_rows[table.path] += 1
        if self._bad_rows[table.path] <= MAX_NAMED:
            self.leave(table.path, f"line {row.line} {reason}")

    def _forget(self, stream: str) -> None:
        """Remove a column that turned out to name groups."""
        self.seen.pop(stream, None)
        for streams in chain(self.streams.values(), *self._variants.values()):
            streams.pop(stream, None)


def _by_name(paths: Iterable[Path]) -> Mapping[str, Sequence[Path]]:
    found: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        found[path.name].append(path)
    return found


def _expanded(cells: Mapping[str, Cell | None]) -> Iterator[Streams]:
    """The literals of a row; several if a cell holds several texts."""
    present = {name: cell for name, cell in cells.items() if cell is not None}
    lists = {name: cell for name, cell in present.items() if isinstance(cell, tuple)}
    for i in range(max(map(len, lists.values()), default=1)):
        chosen = {
            name: lists[name][i % len(lists[name])] if name in lists else cell
            for name, cell in present.items()
        }
        yield {name: cell if isinstance(cell, str) else {name: cell} for name, cell in chosen.items()}


def _shown(source: Source) -> str:
    return str(source) if isinstance(source, Path) else short(source)
