"""Samples as a dataset of Hugging Face: Parquet with files in cells (`bytes`, `path`), and its card.

The library datasets reads it by `load_dataset(FOLDER)`, `modaloom` as a data folder.
"""

import importlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadValue
from modaloom.core.json_text import to_json
from modaloom.core.types import Sample
from modaloom.core.yaml_text import to_yaml
from modaloom.data.table_rows import KEY
from modaloom.data.writer import PROVENANCE, Writer, file_names, owner_of
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import VALUE

TABLE, CARD = "samples-00000-of-00001.parquet", "README.md"
GROUP_ROWS, GROUP_BYTES = 1000, 2**26
"""Most rows of a row group, and the bytes of files from which on it gets no other: one is in memory."""
FILES = {"bytes": "binary", "path": "string"}
"""A cell that holds a file, by field."""
ARROW = {"double": "float64", "large_string": "string", "null": "string"}
"""Arrow's name of a type → Hugging Face's, where they differ."""
Row = dict[str, Any]
"""Column → a value, or the name of a file below `ParquetWriter.files`."""


class ParquetWriter:
    """Writes samples into an empty folder; `finish` makes the dataset of them.

    Until then they are plain files; values are in memory, too: columns have the types of all of theirs.

    Raises `BadValue` without pyarrow.
    """

    def __init__(self, root: Path, modality_of: Mapping[str, str]) -> None:
        try:
            self._arrow = importlib.import_module("pyarrow")
            self._parquet = importlib.import_module("pyarrow.parquet")
        except ImportError as error:
            raise BadValue("Parquet needs pyarrow: pip install 'modaloom[tables]'") from error
        self.root, self.modality_of, self.rows = root, modality_of, list[Row]()
        self.files = Writer(root / ".files", modality_of)
        self.files.root.mkdir()

    def write(self, sample: Sample, provenance: Mapping[str, Any] | None = None) -> None:
        """As `Writer.write`. Raises `BadValue` for a stream that has the name of the column of keys."""
        if KEY in sample.streams:
            raise BadValue(f"{KEY} is a stream, and the column of the samples' names; write plain files")
        self.files.write(sample, provenance)
        names = file_names(sample, self.modality_of)
        own = {
            name: value if self._feature(name) == VALUE else names[name]
            for name, value in sample.streams.items()
            if owner_of(name, sample.streams, self.modality_of) is None
        }
        self.rows.append({KEY: sample.key, **own})

    def finish(self, title: str) -> None:
        """Writes table and card, whose title this is, instead of the files, which stay where that fails.

        Values of several types in one column are texts, as JSON; a column that has no value is left out.
        """
        try:
            self._write_table(title)
        except BaseException:
            self._keep_files()
            raise

    def _write_table(self, title: str) -> None:
        names = dict.fromkeys([KEY, *(name for row in self.rows for name in row)])
        kinds = {name: self._kind_of(name) for name in names}
        kinds = {name: kind for name, kind in kinds.items() if kind != self._arrow.struct([])}
        features = {name: self._described(name, kind) for name, kind in kinds.items()}
        facts = {"huggingface": to_json({"info": {"features": features}})}
        schema = self._arrow.schema([*kinds.items()], metadata=facts)
        with self._parquet.ParquetWriter(self.files.root / TABLE, schema) as table:
            for group in self._groups(kinds):
                table.write_table(self._arrow.Table.from_pylist(group, schema=schema))
        text = _card(title, features, len(self.rows))
        (self.root / CARD).write_text(text, encoding="utf-8")
        if (provenance := self.files.root / PROVENANCE).exists():
            provenance.rename(self.root / PROVENANCE)
        (self.files.root / TABLE).rename(self.root / TABLE)
        shutil.rmtree(self.files.root)

    def _keep_files(self) -> None:
        """Plain files, unless the table is there."""
        if not (self.root / TABLE).exists():
            for unfinished in (self.root / CARD, self.files.root / TABLE):
                unfinished.unlink(missing_ok=True)
            for path in self.files.root.iterdir():
                path.rename(self.root / path.name)
        shutil.rmtree(self.files.root)

    def _feature(self, name: str) -> str:
        return VALUE if name == KEY else MODALITIES[self.modality_of[name]].feature

    def _kind_of(self, name: str) -> Any:
        """Arrow's type of a column."""
        if self._feature(name) != VALUE:
            return self._arrow.struct([*FILES.items()])
        return self._kind([row.get(name) for row in self.rows])

    def _kind(self, values: Sequence[Any]) -> Any:
        """Arrow's type of plain values, or of records of them."""
        if records := [value for value in values if isinstance(value, Mapping)]:
            names = dict.fromkeys(name for record in records for name in record)
            return self._arrow.struct([(n, self._kind([one.get(n) for one in records])) for n in names])
        try:
            return self._arrow.array(values).type
        except (self._arrow.ArrowException, OverflowError):
            return self._arrow.string()

    def _described(self, name: str, kind: Any) -> Mapping[str, Any]:
        """A column as datasets describes it."""
        feature = self._feature(name)
        return _value(kind) if feature in (VALUE, "") else {"_type": feature}

    def _groups(self, kinds: Mapping[str, Any]) -> Iterator[list[Row]]:
        """Rows with their files, a row group at a time."""
        group, size = list[Row](), 0
        for row in self.rows:
            found = {name: self._cell(name, row[name], kind) for name, kind in kinds.items() if name in row}
            size += sum(len(found[name]["bytes"]) for name in found if self._feature(name) != VALUE)
            group.append(found)
            if len(group) == GROUP_ROWS or size >= GROUP_BYTES:
                yield group
                group, size = [], 0
        if group:
            yield group

    def _cell(self, name: str, value: Any, kind: Any) -> Any:
        if self._feature(name) == VALUE:
            return _plain(value, kind)
        return {"bytes": (self.files.root / value).read_bytes(), "path": value.replace("/", "-")}


def _plain(value: Any, kind: Any) -> Any:
    """A value of an Arrow type."""
    if isinstance(value, Mapping):
        fields = {kind.field(i).name: kind.field(i).type for i in range(kind.num_fields)}
        return {name: _plain(value.get(name), one) for name, one in fields.items()}
    return value if isinstance(value, str | None) or str(kind) != "string" else to_json(value)


def _value(kind: Any) -> Mapping[str, Any]:
    """A feature of plain values, or of a record of them, by Arrow's type."""
    if kind.num_fields:
        return {kind.field(i).name: _value(kind.field(i).type) for i in range(kind.num_fields)}
    name = str(kind)
    return {"dtype": ARROW.get(name, name), "_type": VALUE}


def _card(title: str, features: Mapping[str, Mapping[str, Any]], rows: int) -> str:
    """A dataset card: where its table is, what its columns are."""
    files = [{"split": "train", "path": "samples-*.parquet"}]
    facts = {
        "tags": ["modaloom", "synthetic"],
        "configs": [{"config_name": "default", "data_files": files}],
        "dataset_info": {"features": _listed(features), "splits": [{"name": "train", "num_examples": rows}]},
    }
    return f"---{to_yaml(facts)}\n---\n\n{title}\n"


def _listed(features: Mapping[str, Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Features in the form of a card."""
    return [{"name": name, **_entry(feature)} for name, feature in features.items()]


def _entry(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = feature.get("_type")
    if not isinstance(kind, str):
        return {"struct": _listed(feature)}
    return {"dtype": feature.get("dtype", kind.lower())}
