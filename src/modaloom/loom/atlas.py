"""What each code of a picture's codebook looks like, and where it is used: the report's atlas."""

import io
import math
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from modaloom.data.atomic_io import write_file, write_json
from modaloom.loom.dataset import PREPARED
from modaloom.loom.generation import TrainedRun
from modaloom.runs.caches import Caches
from modaloom.runs.store import ATLAS, SAMPLES
from modaloom.tokenizers import Tokenizer
from modaloom.tokenizers.usage import CodeUsage

MAX_VALUES = 2000
"""Training values of a stream that are looked at."""
MAX_CODES = 256
"""Most codes on a sheet, the commonest first."""
COLUMNS, TILE = 16, 16
"""Of a sheet: codes in a row, and pixels of a tile's side."""
INK = (42, 120, 214)
"""Of the places: the more often a code stands there, the less transparent."""


def write_atlas(trained: TrainedRun) -> None:
    """Write RUN/samples/atlas.json and a sheet for every tokenizer of pictures; nothing without caches.

    A sheet has two rows of tiles for every COLUMNS codes: what they look like, then where they stand. Codes
    of a tint have a sheet of their own.
    """
    caches = Caches.of(trained.path)
    if caches is None:
        return
    entries = {}
    for name, (tokenizer, streams) in _trainable(trained).items():
        with suppress(OSError, ValueError, LookupError):  # a cache went away
            columns = [_rows(caches, stream) for stream in streams]
            for part, found in tokenizer.code_usage(columns).items():
                file = f"atlas.{name}.{part}.png" if part else f"atlas.{name}.png"
                entries[f"{name}, {part}" if part else name] = _write(trained.path / SAMPLES, file, found)
    if entries:
        write_json(trained.path / SAMPLES / ATLAS, entries)


def _trainable(trained: TrainedRun) -> dict[str, tuple[Tokenizer, list[str]]]:
    """Name → tokenizer and its streams, of those whose prepared values are cached."""
    found: dict[str, tuple[Tokenizer, list[str]]] = {}
    for name, stream in trained.model.streams.items():
        if stream.tokenizer.trainable:
            found.setdefault(stream.table, (stream.tokenizer, []))[1].append(name)
    return found


def _rows(caches: Caches, stream: str) -> tuple[Tensor, Tensor]:
    """The first SEEN training values of a stream, and their codes."""
    here = caches.present("codes", stream)
    rows = [row for row in caches.rows if here[row]][:MAX_VALUES]
    prepared, codes = (caches.arrays(kind)[stream][rows] for kind in (PREPARED, "codes"))
    return torch.from_numpy(prepared), torch.from_numpy(codes.astype(np.int64))


def _write(folder: Path, file: str, found: CodeUsage) -> dict[str, object]:
    """The sheet, and what the report has to know of it."""
    counts = found.places.flatten(1).sum(1)
    used = int((counts > 0).sum())
    order = counts.argsort(descending=True, stable=True)[: min(MAX_CODES, used)]
    buffer = io.BytesIO()
    sheet(found, order).save(buffer, "PNG", optimize=True)
    folder.mkdir(exist_ok=True)
    write_file(folder / file, buffer.getvalue())
    shares = (counts[order] / counts.sum()).tolist()
    entry = {"file": file, "columns": COLUMNS, "codes": order.tolist(), "shares": shares, "used": used}
    return {**entry, "whole": True} if found.whole else entry


def sheet(found: CodeUsage, order: Tensor) -> Image.Image:
    """The codes of `order` (n,), as `write_atlas` says."""
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
