"""Peak memory and time of a clip of any length through the tokenizer of clips: file → codes → file.

python benchmarks/long_clips.py [--minutes 10] [--size 320x240] [--fps 29.97] [--widths 32,64,128]
    [--parts reading compared through] [--compared 100] [--json F]

The clip, noise that moves, is written in a process of its own, and each part is measured in one. `reading`
decodes it, frame by frame, and nothing else; `compared` encodes `--compared` frames in blocks of three sizes,
the usual one, a half and a third of it; `through` is the whole way. The tokenizer has random weights, which
cost what trained ones do, and takes every frame at its own size.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import torch
from figures import Target, integers, publish

from modaloom.core.types import CodeShape
from modaloom.data.shards import Shard, shard_files, write_shards
from modaloom.loom.config import LoomRunConfig
from modaloom.modalities.video import VIDEO
from modaloom.modalities.video_value import Frame, Video
from modaloom.runs.config_io import changed
from modaloom.tokenizers.file_codec import Blocks, FileCodes
from modaloom.tokenizers.vqvae import VQVAETokenizer

TARGETS = [
    Target("peak, MB", 1500, "≤"),
    Target("codes that differ", 0, "≤"),
    *map(Target, ("codes that are compared", "frames", "frames back", "MB of codes")),
    *map(Target, ("seconds of encoding", "seconds of decoding", "MB before")),
    *map(Target, ("reading, MB", "reading, seconds")),
]
BLOCKS = (1, 2, 3)
"""Parts of the usual size of a block."""


def moving(n: int, width: int, height: int) -> Iterator[Frame]:
    """Noise that moves to the left."""
    wide = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8 + 64, 3), np.uint8)
    wide = wide.repeat(8, 0).repeat(8, 1)
    for k in range(n):
        yield np.roll(wide, -k, 1)[:height, :width]


def peak() -> float:
    """MB of resident memory of this process, at most so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


@dataclass(frozen=True)
class Clip:
    """A file, and what the tokenizer takes of it."""

    path: Path
    length: int
    width: int
    height: int
    fps: Fraction
    widths: Sequence[int]

    def write(self) -> None:
        scan = partial(moving, self.length, self.width, self.height)
        VIDEO.write(Video(scan, self.length, self.height, self.width, self.fps), self.path)

    def tokenizer(self) -> VQVAETokenizer:
        """Random weights, for every frame at its own size."""
        options = changed(LoomRunConfig().tokenizer_of("clip", "video").options, [("widths", [*self.widths])])
        content = [self.height, self.width]
        size = [32, *(-(-side // 8) * 8 for side in content)]
        spec = {"size": size, "content": content, "channels": 3, "fps": str(self.fps), "variable": True}
        torch.manual_seed(0)
        return VQVAETokenizer(VIDEO, spec, options).eval()


def reading(clip: Clip) -> dict[str, float]:
    """Decodes all frames, beside what the process has."""
    before, start = peak(), time.perf_counter()
    for _ in VIDEO.read(clip.path).scan():
        pass
    return {"reading, MB": peak() - before, "reading, seconds": time.perf_counter() - start}


def compared(clip: Clip) -> dict[str, float]:
    """The codes of a short clip in blocks of all sizes."""
    files = clip.tokenizer().files
    assert files is not None
    size, halo = files.encoded.size, files.encoded.halo
    sizes = [Blocks(max(1, size // part), halo) for part in BLOCKS]
    first, *others = [replace(files, encoded=blocks).encode(clip.path).codes for blocks in sizes]
    differ = sum(int((codes != first).sum()) for codes in others)
    return {"codes that differ": float(differ), "codes that are compared": float(first.numel() * len(others))}


def through(clip: Clip) -> dict[str, float]:
    """Encodes, writes and reads a shard, and decodes."""
    tokenizer, out = clip.tokenizer(), clip.path.parent / "out"
    files, found = tokenizer.files, {"MB before": peak()}
    assert files is not None
    out.mkdir()
    start = time.perf_counter()
    coded = files.encode(clip.path)
    found |= {"seconds of encoding": time.perf_counter() - start, "frames": float(coded.length)}
    again = stored(coded, tokenizer.shape, out)
    found["MB of codes"] = sum(file.stat().st_size for file in out.glob("*.safetensors")) / 1e6
    start = time.perf_counter()
    files.decode(again, out / "back.mp4")
    found |= {"seconds of decoding": time.perf_counter() - start, "peak, MB": peak()}
    return {**found, "frames back": float(VIDEO.read(out / "back.mp4").length)}


PARTS = {"reading": reading, "compared": compared, "through": through}


def stored(coded: FileCodes, shape: CodeShape, folder: Path) -> FileCodes:
    """From a shard, as `tokenize` writes it."""
    flat = coded.codes.flatten(0, -2)[None]
    shard = Shard(
        ["0"], {"clip": flat}, {"clip": torch.tensor([True])}, {"clip": torch.tensor([coded.length])}
    )
    write_shards(folder, iter([shard]), shapes={"clip": shape}, model="")
    (file,) = shard_files(folder)
    read = file.read()
    return FileCodes(shape.on_grid(read.codes["clip"])[0], int(read.length["clip"][0]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--size", default="320x240", help="width x height")
    parser.add_argument("--fps", type=float, default=30_000 / 1001)
    parser.add_argument("--widths", type=integers, default=[32, 64, 128])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[*PARTS])
    parser.add_argument("--compared", type=int, default=100, help="frames encoded in blocks of 3 sizes")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    asked = parser.parse_args()
    width, height = map(int, asked.size.split("x"))
    fps = Fraction(asked.fps).limit_denominator(1001)
    found: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory() as place,
        multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool,
    ):
        facts = width, height, fps, asked.widths
        long = Clip(Path(place) / "long.mp4", round(60 * asked.minutes * fps), *facts)
        short = Clip(Path(place) / "short.mp4", asked.compared, *facts)
        for clip in (long, short):
            pool.apply(clip.write)
        for part in asked.parts:
            found |= pool.apply(PARTS[part], (short if part == "compared" else long,))
    publish(TARGETS, {f"{asked.minutes:g} minutes": found}, asked.json)


if __name__ == "__main__":
    main()
