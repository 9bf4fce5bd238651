"""Codebook atlas of the report: mean patch and usage map of each code of a tokenizer of images or sounds, and
what the codes of texts and records say."""

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from modaloom.data.atomic_io import write_file, write_json
from modaloom.loom.dataset import PREPARED, SIGNALS
from modaloom.loom.run import TrainedRun
from modaloom.modalities import MODALITIES
from modaloom.runs.caches import Caches
from modaloom.runs.store import ATLAS, SAMPLES
from modaloom.tokenizers import Tokenizer
from modaloom.tokenizers.usage import CodeUsage

MAX_VALUES, MAX_ELEMENTS = 2000, 2**26
"""Maximum number of training values per stream, and of their elements, that are analysed."""
MAX_CODES = 256
"""Maximum number of codes on a sheet, most frequent first."""
COLUMNS, TILE = 16, 16
"""Layout of a sheet: codes per row, and least side of a tile in pixels."""
MAX_TILE = 48
"""Most, for patches that are larger."""
NUM_HEARD = 16
"""Codes that can be listened to, the most frequent ones."""
INK = (42, 120, 214)
"""RGB colour of the usage maps; opacity is proportional to the code's count at a position."""


def write_atlas(trained: TrainedRun) -> None:
    """Write RUN/samples/atlas.json and one PNG sheet per tokenizer of images or sounds; a no-op without
    caches. What says something, codes of texts and records, needs no sheet.

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
            columns = [one for stream in streams for one in _rows(caches, stream)]
            for part, found in tokenizer.code_usage(columns).items():
                file = f"atlas.{name}.{part}.png" if part else f"atlas.{name}.png"
                entry = _write(trained.path / SAMPLES, file, found)
                entries[f"{name}, {part}" if part else name] = entry | _heard(
                    trained, streams[0], file, found
                )
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


def _rows(caches: Caches, stream: str) -> Iterator[tuple[Tensor, Tensor]]:
    """The first prepared training values of a stream, and their codes: all of one size together."""
    here, codes = caches.present("codes", stream), caches.arrays("codes")[stream]
    rows = [row for row in caches.rows if here[row]][:MAX_VALUES]
    if (signals := caches.ragged(SIGNALS, stream)) is not None:
        sizes = accumulate(int(signals.shapes[row].prod()) for row in rows)
        for row in [row for row, size in zip(rows, sizes) if size <= MAX_ELEMENTS]:
            yield torch.from_numpy(signals[row].copy())[None], torch.from_numpy(codes[[row]].astype(np.int64))
        return
    prepared = caches.arrays(PREPARED)[stream]
    rows = rows[: MAX_ELEMENTS // prepared[0].size]
    yield torch.from_numpy(prepared[rows]), torch.from_numpy(codes[rows].astype(np.int64))


def _write(folder: Path, file: str, found: CodeUsage) -> dict[str, object]:
    """Write the sheet; returns its metadata for the report."""
    entry = _most_used(found.places.flatten(1).sum(1))
    buffer = io.BytesIO()
    sheet(found, torch.tensor(entry["codes"], dtype=torch.int64)).save(buffer, "PNG", optimize=True)
    folder.mkdir(exist_ok=True)
    write_file(folder / file, buffer.getvalue())
    entry = {"file": file, "columns": COLUMNS, **entry}
    return {**entry, "whole": True} if found.whole else entry


def _heard(trained: TrainedRun, stream: str, file: str, found: CodeUsage) -> dict[str, object]:
    """Write the commonest codes as files to listen to, if they can be heard."""
    if found.heard is None:
        return {}
    modality, files = MODALITIES[trained.modality_of[stream]], list[str]()
    for place, code in enumerate(_most_used(found.places.flatten(1).sum(1))["codes"][:NUM_HEARD]):
        value = found.heard(code)
        files.append(f"{file.removesuffix('.png')}.{place:02d}.{modality.suffix(value)}")
        modality.write(value, trained.path / SAMPLES / files[-1])
    return {"stream": stream, "heard": files}


def sheet(found: CodeUsage, order: Tensor) -> Image.Image:
    """Render the codes `order` (n,) in the layout that `write_atlas` describes."""
    rows = max(1, math.ceil(len(order) / COLUMNS))
    side = min(MAX_TILE, max(TILE, *found.patch.shape[2:]))
    picture = Image.new("RGBA", (COLUMNS * side, 2 * rows * side))
    for i, code in enumerate(order.tolist()):
        row, column = divmod(i, COLUMNS)
        tiles = _patch(found.patch[code]), _map(found.places[code])
        for below, tile in enumerate(tiles):
            picture.paste(_tile(tile, side), (column * side, (2 * row + below) * side))
    return picture


def _patch(patch: Tensor) -> Image.Image:
    pixels = patch.permute(1, 2, 0).expand(-1, -1, 3).numpy()
    return Image.fromarray(np.ascontiguousarray(pixels)).convert("RGBA")


def _map(places: Tensor) -> Image.Image:
    alpha = (255 * places / places.max().clamp(min=1)).round().to(torch.uint8).numpy()
    picture = Image.new("RGBA", (alpha.shape[1], alpha.shape[0]), INK)
    picture.putalpha(Image.fromarray(alpha))
    return picture


def _tile(picture: Image.Image, side: int) -> Image.Image:
    """Enlarged as it is, or means of pixels."""
    way = Image.Resampling.BOX if max(picture.size) > side else Image.Resampling.NEAREST
    return picture.resize((side, side), way)
