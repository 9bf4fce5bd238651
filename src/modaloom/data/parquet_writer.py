"""Samples as a dataset of Hugging Face: Parquet with files in cells (`bytes`, `path`), and its card.

The library datasets reads it by `load_dataset(FOLDER)`, `modaloom` as a data folder.
"""

import importlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadValue, short
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

    Until then files are files and other values in memory: columns have the types of all their values.

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
        """As `Writer.write`."""
        values = {name: value for name, value in sample.streams.items() if self._feature(name) == VALUE}
        others = Sample(sample.key, {n: v for n, v in sample.streams.items() if n not in values})
        self.files.write(others, provenance)
        names = file_names(others, self.modality_of)
        own = {n: name for n, name in names.items() if not owner_of(n, names, self.modality_of)}
        self.rows.append({KEY: sample.key, **values, **own})

    def finish(self, title: str) -> None:
        """Writes table and card, whose title this is, instead of the files. Raises `BadValue` for values of
        which no column is made."""
        names = dict.fromkeys([KEY, *(name for row in self.rows for name in row)])
        fields = [self._arrow.field(name, self._type(name)) for name in names]
        features = {field.name: self._described(field) for field in fields}
        facts = {"huggingface": to_json({"info": {"features": features}})}
        schema = self._arrow.schema(fields, metadata=facts)
        with self._parquet.ParquetWriter(self.root / TABLE, schema) as table:
            for group in self._groups():
                table.write_table(self._arrow.Table.from_pylist(group, schema=schema))
        text = _card(title, features, len(self.rows))
        (self.root / CARD).write_text(text, encoding="utf-8")
        if (provenance := self.files.root / PROVENANCE).exists():
            provenance.rename(self.root / PROVENANCE)
        shutil.rmtree(self.files.root)

    def _feature(self, name: str) -> str:
        return VALUE if name == KEY else MODALITIES[self.modality_of[name]].feature

    def _type(self, name: str) -> Any:
        """Arrow's type of a column."""
        if self._feature(name) != VALUE:
            return self._arrow.struct([*FILES.items()])
        try:
            return self._arrow.array([row.get(name) for row in self.rows]).type
        except (self._arrow.ArrowException, OverflowError) as error:
            raise BadValue(
                f"{name} has values of several types, of which no column is made ({short(str(error))})"
            ) from error

    def _described(self, field: Any) -> Mapping[str, Any]:
        """A column as datasets describes it."""
        if (feature := self._feature(field.name)) not in (VALUE, ""):
            return {"_type": feature}
        return _value(field.type)

    def _groups(self) -> Iterator[list[Row]]:
        """Rows with their files, a row group at a time."""
        group, size = list[Row](), 0
        for row in self.rows:
            found = {name: self._cell(name, value) for name, value in row.items()}
            size += sum(len(found[name]["bytes"]) for name in found if self._feature(name) != VALUE)
            group.append(found)
            if len(group) == GROUP_ROWS or size >= GROUP_BYTES:
                yield group
                group, size = [], 0
        if group:
            yield group

    def _cell(self, name: str, value: Any) -> Any:
        if self._feature(name) == VALUE:
            return value
        return {"bytes": (self.files.root / value).read_bytes(), "path": value.replace("/", "-")}


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
