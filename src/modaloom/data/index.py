"""The index of a folder while it is built: files by their names and layout, tables by what they name."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from modaloom.core.errors import BadFile
from modaloom.data.arrays import SUFFIX as ARCHIVE
from modaloom.data.arrays import is_archive, read_archive
from modaloom.data.collected import Collected
from modaloom.data.join import Samples, place_below
from modaloom.data.layout import Arrangement, arrange
from modaloom.data.names import METADATA, Name, parse_name, stream_names
from modaloom.data.table_rows import TableRows
from modaloom.data.tables import FORMATS, Table, read_table
from modaloom.data.walk import Problem, walk_files


class Index(Collected):
    """Samples of a folder.

    Args:
        root: the folder.
        layout: one of `LAYOUTS`.
    """

    def __init__(self, root: Path, layout: str) -> None:
        super().__init__(root)
        self.layout = layout
        self.arrangement: Arrangement
        self._files: dict[Path, Name] = {}
        self._samples = Samples(())

    def read(self) -> None:
        """Index the folder. Raises `BadFolder` and `BadFile`."""
        tables, archives, others = [], [], []
        for found in walk_files(self.root):
            if isinstance(found, Problem):
                self.problems[found] = None
            elif found.suffix.lower() in FORMATS:
                tables.append(found)
            elif found.suffix.lower() == ARCHIVE and is_archive(found):
                archives.append(found)
            else:
                others.append(found)
        self._parse(others)
        rows = [table for path in tables if (table := self._read_table(path)) is not None]
        self._place({cell for table in rows for cells in table.texts.values() for cell in cells})
        claimed = TableRows(self, self._files).add(rows)
        for path in archives:
            self._add_archive(path, len(archives) > 1)
        for path, name in self._files.items():
            if path not in claimed:
                self.add(name.key, name.stream, name.modality, path, str(path))
        self.add_tracks()

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

    def _add_archive(self, path: Path, several: bool) -> None:
        """Add the rows of an archive of arrays."""
        place = path.relative_to(self.root).with_suffix("").as_posix()
        try:
            columns = [*read_archive(path)]
        except BadFile as error:
            self.leave(path, error.reason)
            return
        for column in columns:
            if isinstance(column, str):
                self.leave(path, column)
                continue
            width = len(str(len(column.values)))
            for i, source in enumerate(column.values):
                parts = [column.split, place if several else "", f"{i:0{width}}"]
                self.add("/".join(filter(None, parts)), column.stream, column.modality, source, str(path))
        self.joined.append(f"{path.relative_to(self.root).as_posix()}: rows of arrays are samples")
