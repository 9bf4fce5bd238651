"""Peak memory and time of a clip of any length through the tokenizer of clips: file → codes → file.

python benchmarks/long_clips.py [--minutes 10] [--size 320x240] [--fps 29.97] [--widths 32,64,128] [--json F]

The clip, noise that moves, is written in a process of its own. The tokenizer has random weights, which cost
what trained ones do, and takes every frame at its own size.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
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
from modaloom.tokenizers.file_codec import FileCodes
from modaloom.tokenizers.vqvae import VQVAETokenizer

TARGETS = [Target("peak, MB", 1500, "≤"), *map(Target, ("frames", "frames back", "MB of codes"))]
TARGETS += [*map(Target, ("seconds of encoding", "seconds of decoding", "MB before"))]


def moving(n: int, width: int, height: int) -> Iterator[Frame]:
    """Noise that moves to the left."""
    wide = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8 + 64, 3), np.uint8)
    wide = wide.repeat(8, 0).repeat(8, 1)
    for k in range(n):
        yield np.roll(wide, -k, 1)[:height, :width]


def write(path: Path, n: int, width: int, height: int, fps: Fraction) -> None:
    VIDEO.write(Video(lambda: moving(n, width, height), n, height, width, fps), path)


def peak() -> float:
    """MB of resident memory of this process, at most so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def through(
    path: Path, out: Path, width: int, height: int, fps: Fraction, widths: Sequence[int]
) -> dict[str, float]:
    """Encodes, writes and reads a shard, and decodes."""
    options = changed(LoomRunConfig().tokenizer_of("clip", "video").options, [("widths", [*widths])])
    size = [-(-side // 8) * 8 for side in (height, width)]
    spec = {"size": [32, *size], "content": [height, width], "channels": 3, "fps": str(fps), "variable": True}
    torch.manual_seed(0)
    tokenizer = VQVAETokenizer(VIDEO, spec, options).eval()
    files, found = tokenizer.files, {"MB before": peak()}
    assert files is not None
    start = time.perf_counter()
    coded = files.encode(path)
    found |= {"seconds of encoding": time.perf_counter() - start, "frames": float(coded.length)}
    again = stored(coded, tokenizer.shape, out)
    found["MB of codes"] = sum(file.stat().st_size for file in out.glob("*.safetensors")) / 1e6
    start = time.perf_counter()
    files.decode(again, out / "back.mp4")
    found |= {"seconds of decoding": time.perf_counter() - start, "peak, MB": peak()}
    return {**found, "frames back": float(VIDEO.read(out / "back.mp4").length)}


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
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    asked = parser.parse_args()
    width, height = map(int, asked.size.split("x"))
    fps = Fraction(asked.fps).limit_denominator(1001)
    facts = width, height, fps
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as place:
        path, out = Path(place) / "long.mp4", Path(place) / "out"
        out.mkdir()
        with context.Pool(1, maxtasksperchild=1) as pool:
            pool.apply(write, (path, round(60 * asked.minutes * fps), *facts))
            found = pool.apply(through, (path, out, *facts, asked.widths))
    publish(TARGETS, {f"{asked.minutes:g} minutes": found}, asked.json)


if __name__ == "__main__":
    main()
