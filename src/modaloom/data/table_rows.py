"""Rows of tables, added to what is collected of a folder."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from modaloom.core.errors import MAX_NAMED, BadFile, bounded, short
from modaloom.data.cells import Cell
from modaloom.data.collected import Collected, Source, Streams
from modaloom.data.join import FILE_COLUMNS, Join, Row, Samples, join, place_below, split_column, table_split
from modaloom.data.layout import stream_name
from modaloom.data.names import METADATA, Name, parse_name
from modaloom.data.tables import Table
from modaloom.modalities.files import File

KEY = "key"
"""The column that names the samples of a dataset that is a table."""
TEXT, RECORD = "text", "record"
"""The modalities of a table's cells: texts; numbers and truth values, as records of one column."""
ROWS_ALONE = 10
"""Rows for each file from which on tables that name none of them are a dataset of their own."""
Find = Callable[[str], Path | None]
Shared = Mapping[str, dict[str, list[str]]]
"""Column of several tables → its cells → keys."""


class TableRows:
    """Adds the rows of tables.

    Args:
        collected: what they are added to.
        files: those of the folder, with their keys and streams.
    """

    def __init__(self, collected: Collected, files: Mapping[Path, Name]) -> None:
        self.collected, self.files = collected, files
        self._bad_rows: Counter[Path] = Counter()

    def add(self, tables: Sequence[Table]) -> set[Path]:
        """Add the rows of tables; returns the files that they name. Those that need others come last."""
        samples, waiting = Samples({name.key for name in self.files.values()}), [*tables]
        claimed: set[Path] = set()
        kinds = {frozenset(table.texts) for table in waiting}  # tables of the same columns are parts of one
        titles = Counter(name for columns in kinds for name in columns)
        shared = {name: defaultdict[str, list[str]](list) for name, count in titles.items() if count > 1}
        num_rows = sum(len(table.lines) for table in tables)
        several, by_name = len(waiting) > 1, _by_name(self.files)
        for last in (False, True):
            alone = len(waiting) == len(tables) and num_rows >= ROWS_ALONE * len(self.files)
            for table in [*waiting]:
                find = partial(self._find, by_name, table.path.parent)
                found = join(table, find, samples, shared)
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
        known = next((p for p in place_below(self.collected.root, folder, written) if p in self.files), None)
        same = by_name.get(written, [])
        return same[0] if known is None and len(same) == 1 else known

    def _leave_table(self, table: Table) -> None:
        columns = bounded(map(repr, table.texts))
        reason = f"has no column file_name or NAME_file_name, nor one that names samples; it has {columns}"
        if table.path.name in METADATA:
            raise BadFile(table.path, reason)
        self.collected.leave(table.path, reason)

    def _standing_alone(self, table: Table, several: bool) -> Join:
        """Each row is a sample."""
        place = table.path.relative_to(self.collected.root).with_suffix("").as_posix()
        width = len(str(len(table.lines)))
        numbers = [f"{i:0{width}}" for i in range(1, len(table.lines) + 1)]
        absent = {name for name in table.texts if FILE_COLUMNS.fullmatch(name)}
        for name in sorted(absent):
            self.collected.leave(table.path, f"column {short(name)} names no file of this folder")
        own = table.texts.get(KEY, [])
        named = all(own) and len({*own}) == len(table.lines)
        rows = [
            Row(line, keys=[f"{place}/{name}" if several else name])
            for line, name in zip(table.lines, own if named else numbers)
        ]
        used, how = ({KEY}, f", called by {KEY}") if named else ((), "")
        return Join(rows, {*absent, *used}, f"rows are samples{how}")

    def _add_table(self, table: Table, found: Join, find: Find, shared: Shared) -> set[Path]:
        """Add the rows of a joined table; returns the files that they name."""
        place = table.path.relative_to(self.collected.root).as_posix()
        kept = ", each of which stays in one split" if any(row.group for row in found.rows) else ""
        self.collected.joined.append(f"{place}: {found.how}{kept}")
        self.collected.joined += [f"{place}: {remark}" for remark in table.remarks]
        for problem in table.problems:
            self.collected.leave(table.path, problem)
        for name in shared.keys() & found.used:
            self.collected.forget(stream_name(name))
        split, said = split_column(table), table_split(table)
        columns = {n: stream_name(n) for n in table.cells if n not in found.used and n != split}
        literals: dict[str, dict[int, list[Streams]]] = defaultdict(dict)
        claimed: set[Path] = set()
        for i, row in enumerate(found.rows):
            files = self._files_of(table, row, find)
            claimed |= {*files.values()}
            keys = [*row.keys] or [self.files[path].key for path in files.values()][:1]
            for stream, path in files.items():
                self.collected.add(
                    keys[0], stream, self.files[path].modality, path, f"{table.path}, line {row.line}"
                )
            cells = [*_expanded({columns[name]: table.cells[name][i] for name in columns})]
            for key in keys:
                literals[key][row.line] = cells
                if row.group is not None:
                    self.collected.group_of[key], self.collected.grouped = row.group, True
                if name := table.texts[split][i] if split is not None else said:
                    self.collected.split_of[key] = name
                for column in shared.keys() & table.texts.keys():
                    shared[column][table.texts[column][i]].append(key)
        for key, rows in literals.items():
            self._add_cells(table, key, rows)
        if (more := self._bad_rows[table.path] - MAX_NAMED) > 0:
            self.collected.leave(table.path, f"{more:,} more lines name no readable sample file, or none")
        return claimed

    def _add_cells(self, table: Table, key: str, rows: Mapping[int, Sequence[Streams]]) -> None:
        """Add the texts and records of a sample's rows: those that differ are variants of it."""
        first, *others = {repr(one): one for cells in rows.values() for one in cells}.values()
        where = f"{table.path}, line {min(rows)}"
        for stream, source in first.items():
            self.collected.add(key, stream, _modality(source), source, where)
        for streams in others:
            for stream, source in streams.items():
                self.collected.check(stream, _modality(source), where)
            self.collected.variants[key].append(streams)

    def _files_of(self, table: Table, row: Row, find: Find) -> Mapping[str, Path]:
        """Stream → file of a row."""
        files = {}
        for stream, written in row.files.items():
            path = find(written)
            if path is None:
                self._leave_row(table, row, f"names {short(written)}, which is not a readable sample file")
            else:
                files[stream or self.files[path].stream] = path
        if not row.files and not row.keys:
            unknown = f"names {short(row.unknown)}, which is no sample" if row.unknown else "has no file"
            self._leave_row(table, row, unknown)
        return files

    def _leave_row(self, table: Table, row: Row, reason: str) -> None:
        """Name the first few, and count the others."""
        self._bad_rows[table.path] += 1
        if self._bad_rows[table.path] <= MAX_NAMED:
            self.collected.leave(table.path, f"line {row.line} {reason}")


def _modality(source: Source) -> str:
    """The modality of a cell."""
    if isinstance(source, File) and (name := parse_name(f"x{source.suffix}")) is not None:
        return name.modality
    return TEXT if isinstance(source, str) else RECORD


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
        yield {
            name: cell if isinstance(cell, str | File | Mapping) else {name: cell}
            for name, cell in chosen.items()
        }
