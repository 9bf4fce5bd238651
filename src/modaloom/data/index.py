"""The index of a folder while it is built: files by their names and layout, tables by what they name."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from modaloom.core.defaults import LAYOUT
from modaloom.core.errors import BadFile, BadFolder, bounded
from modaloom.core.types import Sample
from modaloom.data.arrays import SUFFIX as ARCHIVE
from modaloom.data.arrays import is_archive, read_archive
from modaloom.data.collected import Collected
from modaloom.data.join import Samples, place_below
from modaloom.data.layout import CLASSES, STEMS, Arrangement, UnclearLayout, arrange, is_numbered
from modaloom.data.names import METADATA, Name, parse_name, stream_names
from modaloom.data.table_rows import TableRows
from modaloom.data.tables import FORMATS, Table, read_table
from modaloom.data.tar_index import COMPRESSED, TAR, TarIndex
from modaloom.data.tar_members import NO_ACCESS
from modaloom.data.walk import Problem, walk_files
from modaloom.modalities import MODALITIES


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
        self.sharded: Sequence[Sample] = ()
        """Those of tar shards, sorted by key."""

    def read(self) -> None:
        """Index the folder. Raises `BadFolder` and `BadFile`."""
        tables, archives, tars, others = [], [], [], []
        for found in walk_files(self.root):
            if isinstance(found, Problem):
                self.problems[found] = None
            elif found.suffix.lower() in FORMATS:
                tables.append(found)
            elif found.suffix.lower() == ARCHIVE and is_archive(found):
                archives.append(found)
            elif found.suffix.lower() == TAR:
                tars.append(found)
            elif COMPRESSED.search(found.name):
                self.leave(found, f"is a compressed tar, which has no random access: {NO_ACCESS}")
            else:
                others.append(found)
        loose = [path for path in others if parse_name(path.name) is not None]
        shards = [path for path in tars if is_numbered(path)] if loose or tables or archives else tars
        if shards:
            self._read_shards(shards, [*tables, *archives, *others, *({*tars} - {*shards})])
            return
        self._parse([*others, *tars])
        rows = [table for path in tables if (table := self._read_table(path)) is not None]
        self._place({cell for table in rows for cells in table.texts.values() for cell in cells})
        claimed = TableRows(self, self._files).add(rows)
        for path in archives:
            self._add_archive(path, len(archives) > 1)
        for path, name in self._files.items():
            if path not in claimed:
                self.add(name.key, name.stream, name.modality, path, str(path))
        self.add_tracks()

    def _read_shards(self, shards: Sequence[Path], others: Sequence[Path]) -> None:
        """Index tar shards. `others`: what lies beside them."""
        if self.layout not in (LAYOUT, STEMS, CLASSES):
            raise UnclearLayout(f"has tar shards, whose layout is {STEMS} or {CLASSES}, not {self.layout}")
        names = {path: name for path in others if (name := parse_name(path.name)) is not None}
        if signals := [
            path.name for path, name in names.items() if MODALITIES[name.modality].codec.continuous
        ]:
            raise BadFolder(
                f"{self.root} has tar shards ({shards[0].name}) and {len(signals):,} files beside them "
                f"({bounded(signals)}); move the ones or the others into a folder of their own"
            )
        for path in others:
            self.leave(path, "lies beside tar shards, which are the dataset")
        index = TarIndex(self)
        for path in shards:
            index.add(path)
        self.sharded = index.samples()
        sentence = f"tar shards: {len(self.sharded):,} samples in {len(shards):,} archives"
        self.arrangement = Arrangement(
            CLASSES if self.layout == CLASSES else STEMS, lambda name: name, sentence
        )

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
            for problem in column.problems:
                self.leave(path, problem)
            self.joined += [f"{path.relative_to(self.root).as_posix()}: {one}" for one in column.remarks]
            width = len(str(len(column.values)))
            for i, source in enumerate(column.values):
                if source is None:
                    continue
                parts = [column.split, place if several else "", f"{i:0{width}}"]
                self.add("/".join(filter(None, parts)), column.stream, column.modality, source, str(path))
        self.joined.append(f"{path.relative_to(self.root).as_posix()}: rows of arrays are samples")
