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

from modaloom.loom.generation import TrainedRun
from modaloom.runs.atomic_io import write_file, write_json
from modaloom.runs.caches import Caches
from modaloom.runs.store import ATLAS, SAMPLES
from modaloom.tokenizers import VQVAETokenizer
from modaloom.tokenizers.global_codes import GlobalCodesEncoder, outline_side_means

MAX_VALUES = 2000
"""Training values of a stream that are looked at."""
MAX_CODES = 256
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
            if isinstance(tokenizer.encoder, GlobalCodesEncoder):
                found = tints(tokenizer, tokenizer.encoder, columns)
                entry = _write(trained.path / SAMPLES, f"atlas.{name}.tint.png", found)
                entries[f"{name}, tint"] = {**entry, "whole": True}
    if entries:
        write_json(trained.path / SAMPLES / ATLAS, entries)


def uses(tokenizer: VQVAETokenizer, columns: Iterable[tuple[Tensor, Tensor]]) -> Uses:
    """Of the first depth, from columns of packed values uint8 (n, C, H, W) and codes int64 (n, L, Q)."""
    (rows, across), size = tokenizer.shape.grid, tokenizer.shape.codebook_size
    stride, channels = 2**tokenizer.num_downsamples, tokenizer.spec["channels"]
    total = torch.zeros(size, channels, stride, stride)
    places = torch.zeros(size, rows * across, dtype=torch.int64)
    normalize, denormalize = tokenizer.modality.normalize, tokenizer.modality.denormalize
    assert normalize is not None
    assert denormalize is not None
    for packed, codes in columns:
        signal = _pad_to_stride(normalize(packed), stride)
        for place, code in enumerate(codes[..., 0].T):
            top, left = (stride * i for i in divmod(place, across))
            total.index_add_(0, code, signal[..., top : top + stride, left : left + stride])
            places[:, place] += torch.bincount(code, minlength=size)
    mean = total / places.sum(1).clamp(min=1).reshape(-1, 1, 1, 1)
    return Uses(denormalize(mean), places.reshape(size, rows, across))


def tints(
    tokenizer: VQVAETokenizer, encoder: GlobalCodesEncoder, columns: Iterable[tuple[Tensor, Tensor]]
) -> Uses:
    """The same of the first depth that tells of the tint: two colours, the rarer one of a picture first."""
    size, channels = tokenizer.shape.codebook_size, tokenizer.spec["channels"]
    total, counts = torch.zeros(size, 2 * channels), torch.zeros(size, dtype=torch.int64)
    normalize, denormalize = tokenizer.modality.normalize, tokenizer.modality.denormalize
    assert normalize is not None
    assert denormalize is not None
    for packed, codes in columns:
        signal, code = (
            _pad_to_stride(normalize(packed), 2**tokenizer.num_downsamples),
            codes[:, 0, -tokenizer.shape.shared],
        )
        total.index_add_(0, code, outline_side_means(signal, encoder.outline(signal)))
        counts += torch.bincount(code, minlength=size)
    colours = (total / counts.clamp(min=1)[:, None]).reshape(size, 2, channels)
    return Uses(denormalize(colours.mT[:, :, None]), counts.reshape(size, 1, 1))


def _pad_to_stride(signal: Tensor, stride: int) -> Tensor:
    """Every axis as long as its codes reach."""
    down, right = ((-side) % stride for side in signal.shape[2:])
    return torch.nn.functional.pad(signal, (0, right, 0, down), mode="replicate")


def _pictures(trained: TrainedRun) -> dict[str, tuple[VQVAETokenizer, list[str]]]:
    """Name → tokenizer and its streams, of those that see two axes in grey or colour."""
    found: dict[str, tuple[VQVAETokenizer, list[str]]] = {}
    for name, stream in trained.model.streams.items():
        tokenizer = stream.tokenizer
        if isinstance(tokenizer, VQVAETokenizer) and _is_picture(tokenizer):
            found.setdefault(stream.table, (tokenizer, []))[1].append(name)
    return found


def _is_picture(tokenizer: VQVAETokenizer) -> bool:
    return len(tokenizer.spec["size"]) == 2 and tokenizer.spec["channels"] in (1, 3)


def _rows(caches: Caches, stream: str) -> tuple[Tensor, Tensor]:
    """The first SEEN training values of a stream, and their codes."""
    here = caches.present("codes", stream)
    rows = [row for row in caches.rows if here[row]][:MAX_VALUES]
    packed, codes = (caches.arrays(kind)[stream][rows] for kind in ("packed", "codes"))
    return torch.from_numpy(packed), torch.from_numpy(codes.astype(np.int64))


def _write(folder: Path, file: str, found: Uses) -> dict[str, object]:
    """The sheet, and what the report has to know of it."""
    counts = found.places.flatten(1).sum(1)
    used = int((counts > 0).sum())
    order = counts.argsort(descending=True, stable=True)[: min(MAX_CODES, used)]
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
