"""Codebook atlas of the report: mean patch and spatial usage map of each code of an image tokenizer, and what
the codes of texts and records say."""

import io
import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from modaloom.data.atomic_io import write_file, write_json
from modaloom.loom.dataset import PREPARED
from modaloom.loom.run import TrainedRun
from modaloom.runs.caches import Caches
from modaloom.runs.store import ATLAS, SAMPLES
from modaloom.tokenizers import Tokenizer
from modaloom.tokenizers.usage import CodeUsage

MAX_VALUES, MAX_ELEMENTS = 2000, 2**26
"""Maximum number of training values per stream, and of their elements, that are analysed."""
MAX_CODES = 256
"""Maximum number of codes on a sheet, most frequent first."""
COLUMNS, TILE = 16, 16
"""Layout of a sheet: codes per row, and side of a tile in pixels."""
INK = (42, 120, 214)
"""RGB colour of the usage maps; opacity is proportional to the code's count at a position."""


def write_atlas(trained: TrainedRun) -> None:
    """Write RUN/samples/atlas.json and one PNG sheet per image tokenizer; a no-op without caches. What says
    something, codes of texts and records, needs no sheet.

    A sheet has two rows of tiles for every COLUMNS codes: mean patches, then usage maps. Global codes have a
    separate sheet.
    """
    caches = Caches.of(trained.path)
    if caches is None:
        return
    entries = dict[str, object]()
    for name, (tokenizer, streams) in _tokenizers(trained).items():
        with suppress(OSError, ValueError, LookupError):  # a cache went away
            entries |= _named(caches, name, tokenizer, streams)
            columns = [_rows(caches, stream) for stream in streams]
            for part, found in tokenizer.code_usage(columns).items():
                file = f"atlas.{name}.{part}.png" if part else f"atlas.{name}.png"
                entries[f"{name}, {part}" if part else name] = _write(trained.path / SAMPLES, file, found)
    if entries:
        (trained.path / SAMPLES).mkdir(exist_ok=True)
        write_json(trained.path / SAMPLES / ATLAS, entries)


def _tokenizers(trained: TrainedRun) -> dict[str, tuple[Tokenizer, list[str]]]:
    """Tokenizer name → tokenizer and its streams."""
    found: dict[str, tuple[Tokenizer, list[str]]] = {}
    for name, stream in trained.model.streams.items():
        found.setdefault(stream.table, (stream.tokenizer, []))[1].append(name)
    return found


def _named(caches: Caches, name: str, tokenizer: Tokenizer, streams: Sequence[str]) -> dict[str, object]:
    """Entries of codes that say something, by name of the tokenizer and of the position."""
    found = dict[str, object]()
    for place, (part, words) in enumerate(tokenizer.code_names.items()):
        columns = [_codes(caches, stream)[..., 0] for stream in streams]
        codes = torch.cat([rows[:, place] if part else rows.flatten() for rows in columns])
        counts = torch.bincount(codes, minlength=len(words))[: len(words)]
        entry = _most_used(counts)
        found[f"{name}, {part}" if part else name] = {**entry, "names": [words[i] for i in entry["codes"]]}
    return found


def _codes(caches: Caches, stream: str) -> Tensor:
    """int64 (n, L, Q): codes of the first training values of a stream."""
    here, codes = caches.present("codes", stream), caches.arrays("codes")[stream]
    rows = [row for row in caches.rows if here[row]][: MAX_ELEMENTS // codes[0].size]
    return torch.from_numpy(codes[rows].astype(np.int64))


def _most_used(counts: Tensor) -> dict[str, Any]:
    """The codes in use, the most frequent first, their shares, and how many there are."""
    used = int((counts > 0).sum())
    order = counts.argsort(descending=True, stable=True)[: min(MAX_CODES, used)]
    return {"codes": order.tolist(), "shares": (counts[order] / counts.sum()).tolist(), "used": used}


def _rows(caches: Caches, stream: str) -> tuple[Tensor, Tensor]:
    """The first prepared training values of a stream, and their codes."""
    here = caches.present("codes", stream)
    prepared, codes = (caches.arrays(kind)[stream] for kind in (PREPARED, "codes"))
    most = min(MAX_VALUES, MAX_ELEMENTS // prepared[0].size)
    rows = [row for row in caches.rows if here[row]][:most]
    return torch.from_numpy(prepared[rows]), torch.from_numpy(codes[rows].astype(np.int64))


def _write(folder: Path, file: str, found: CodeUsage) -> dict[str, object]:
    """Write the sheet; returns its metadata for the report."""
    entry = _most_used(found.places.flatten(1).sum(1))
    buffer = io.BytesIO()
    sheet(found, torch.tensor(entry["codes"], dtype=torch.int64)).save(buffer, "PNG", optimize=True)
    folder.mkdir(exist_ok=True)
    write_file(folder / file, buffer.getvalue())
    entry = {"file": file, "columns": COLUMNS, **entry}
    return {**entry, "whole": True} if found.whole else entry


def sheet(found: CodeUsage, order: Tensor) -> Image.Image:
    """Render the codes `order` (n,) in the layout that `write_atlas` describes."""
    rows = max(1, math.ceil(len(order) / COLUMNS))
    picture = Image.new("RGBA", (COLUMNS * TILE, 2 * rows * TILE))
    for i, code in enumerate(order.tolist()):
        row, column = divmod(i, COLUMNS)
        tiles = _patch(found.patch[code]), _map(found.places[code])
        for below, tile in enumerate(tiles):
            picture.paste(_tile(tile), (column * TILE, (2 * row + below) * TILE))
    return picture


def _patch(patch: Tensor) -> Image.Image:
    pixels = patch.permute(1, 2, 0).expand(-1, -1, 3).numpy()
    return Image.fromarray(np.ascontiguousarray(pixels)).convert("RGBA")


def _map(places: Tensor) -> Image.Image:
    alpha = (255 * places / places.max().clamp(min=1)).round().to(torch.uint8).numpy()
    picture = Image.new("RGBA", (alpha.shape[1], alpha.shape[0]), INK)
    picture.putalpha(Image.fromarray(alpha))
    return picture


def _tile(picture: Image.Image) -> Image.Image:
    return picture.resize((TILE, TILE), Image.Resampling.NEAREST)
