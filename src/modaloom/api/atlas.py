"""What each code of a picture's codebook looks like, and where it is used: the report's atlas."""

import io
import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from modaloom.api.caches import Caches
from modaloom.api.trained import TrainedRun
from modaloom.report.facts import ATLAS, SAMPLES
from modaloom.runs.durable import write_file, write_json
from modaloom.tokenizers import VQVAE
from modaloom.tokenizers.tinted import Tinted, ends

SEEN = 2000
"""Training values of a stream that are looked at."""
SHOWN = 256
"""Most codes on a sheet, the commonest first."""
COLUMNS, TILE = 16, 16
"""Of a sheet: codes in a row, and pixels of a tile's side."""
INK = (42, 120, 214)
"""Of the places: the more often a code stands there, the less transparent."""


@dataclass(frozen=True)
class Uses:
    """Of each of the K codes of one depth, over the values looked at."""

    patch: Tensor
    """uint8 (K, C, h, w): the mean of what lies under the code; grey where it was never used."""
    places: Tensor
    """int64 (K, *grid): how often it stands at each position; (K, 1, 1) for a value as a whole."""


def write_atlas(trained: TrainedRun) -> None:
    """Write RUN/samples/atlas.json and a sheet for every tokenizer of pictures; nothing without caches.

    A sheet has two rows of tiles for every COLUMNS codes: what they look like, then where they stand. Codes
    of a tint have a sheet of their own.
    """
    caches = Caches.of(trained.path)
    if caches is None:
        return
    entries = {}
    for name, (tokenizer, streams) in _pictures(trained).items():
        with suppress(OSError, ValueError, LookupError):  # a cache went away
            columns = [_rows(caches, stream) for stream in streams]
            entries[name] = _write(trained.path / SAMPLES, f"atlas.{name}.png", uses(tokenizer, columns))
            if isinstance(tokenizer.encoder, Tinted):
                found = tints(tokenizer, tokenizer.encoder, columns)
                entry = _write(trained.path / SAMPLES, f"atlas.{name}.tint.png", found)
                entries[f"{name}, tint"] = {**entry, "whole": True}
    if entries:
        write_json(trained.path / SAMPLES / ATLAS, entries)


def uses(tokenizer: VQVAE, columns: Iterable[tuple[Tensor, Tensor]]) -> Uses:
    """Of the first depth, from columns of packed values uint8 (n, C, H, W) and codes int64 (n, L, Q)."""
    (rows, across), size = tokenizer.shape.grid, tokenizer.shape.size
    stride, channels = 2**tokenizer.halvings, tokenizer.form["channels"]
    total = torch.zeros(size, channels, stride, stride)
    places = torch.zeros(size, rows * across, dtype=torch.int64)
    signal_of, packed_of = tokenizer.modality.signal, tokenizer.modality.packed
    assert signal_of is not None
    assert packed_of is not None
    for packed, codes in columns:
        signal = _whole(signal_of(packed), stride)
        for place, code in enumerate(codes[..., 0].T):
            top, left = (stride * i for i in divmod(place, across))
            total.index_add_(0, code, signal[..., top : top + stride, left : left + stride])
            places[:, place] += torch.bincount(code, minlength=size)
    mean = total / places.sum(1).clamp(min=1).reshape(-1, 1, 1, 1)
    return Uses(packed_of(mean), places.reshape(size, rows, across))


def tints(tokenizer: VQVAE, encoder: Tinted, columns: Iterable[tuple[Tensor, Tensor]]) -> Uses:
    """The same of the first depth that tells of the tint: two colours, the rarer one of a picture first."""
    size, channels = tokenizer.shape.size, tokenizer.form["channels"]
    total, counts = torch.zeros(size, 2 * channels), torch.zeros(size, dtype=torch.int64)
    signal_of, packed_of = tokenizer.modality.signal, tokenizer.modality.packed
    assert signal_of is not None
    assert packed_of is not None
    for packed, codes in columns:
        signal, code = _whole(signal_of(packed), 2**tokenizer.halvings), codes[:, 0, -tokenizer.shape.shared]
        total.index_add_(0, code, ends(signal, encoder.outline(signal)))
        counts += torch.bincount(code, minlength=size)
    colours = (total / counts.clamp(min=1)[:, None]).reshape(size, 2, channels)
    return Uses(packed_of(colours.mT[:, :, None]), counts.reshape(size, 1, 1))


def _whole(signal: Tensor, stride: int) -> Tensor:
    """Every axis as long as its codes reach."""
    down, right = ((-side) % stride for side in signal.shape[2:])
    return torch.nn.functional.pad(signal, (0, right, 0, down), mode="replicate")


def _pictures(trained: TrainedRun) -> dict[str, tuple[VQVAE, list[str]]]:
    """Name → tokenizer and its streams, of those that see two axes in grey or colour."""
    found: dict[str, tuple[VQVAE, list[str]]] = {}
    for name, stream in trained.model.streams.items():
        tokenizer = stream.tokenizer
        if isinstance(tokenizer, VQVAE) and _is_picture(tokenizer):
            found.setdefault(stream.table, (tokenizer, []))[1].append(name)
    return found


def _is_picture(tokenizer: VQVAE) -> bool:
    return len(tokenizer.form["size"]) == 2 and tokenizer.form["channels"] in (1, 3)


def _rows(caches: Caches, stream: str) -> tuple[Tensor, Tensor]:
    """The first SEEN training values of a stream, and their codes."""
    here = caches.present("codes", stream)
    rows = [row for row in caches.rows if here[row]][:SEEN]
    packed, codes = (caches.arrays(kind)[stream][rows] for kind in ("packed", "codes"))
    return torch.from_numpy(packed), torch.from_numpy(codes.astype(np.int64))


def _write(folder: Path, file: str, found: Uses) -> dict[str, object]:
    """The sheet, and what the report has to know of it."""
    counts = found.places.flatten(1).sum(1)
    used = int((counts > 0).sum())
    order = counts.argsort(descending=True, stable=True)[: min(SHOWN, used)]
    buffer = io.BytesIO()
    sheet(found, order).save(buffer, "PNG", optimize=True)
    folder.mkdir(exist_ok=True)
    write_file(folder / file, buffer.getvalue())
    shares = (counts[order] / counts.sum()).tolist()
    return {"file": file, "columns": COLUMNS, "codes": order.tolist(), "shares": shares, "used": used}


def sheet(found: Uses, order: Tensor) -> Image.Image:
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
