"""Tar shards: how long an index takes, what it needs, and how fast values are read through it.

python benchmarks/shards.py [--members 1000000] [--pictures 3000] [--rounds 5] [--folder DIR] [--json FILE]

`--members` tiny ones (1 GB at 10⁶) are written into DIR, or the folder of temporary files, indexed in a
process of its own and removed. The pictures of 64 px are read in a random order from files and from shards,
in turns; all of them are in the page cache.
"""

import argparse
import io
import multiprocessing
import random
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from figures import Target, publish
from memory import peak
from PIL import Image

import modaloom
from modaloom.data.folder import Folder, open_folder
from modaloom.data.reader import Reader

SHARD = 20_000
"""Members of a shard."""
SIDE = 64
TARGETS = [
    Target("index of the members, s", 60, "≤"),
    Target("index of the members, MB", 200, "≤"),
    Target("pictures a second, from files"),
    Target("pictures a second, from shards"),
    Target("shards / files, median of the rounds", 0.9),
]


def write_members(folder: Path, members: int) -> None:
    """Pairs of a tiny picture and a text."""
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "PNG")
    contents = {"image.png": buffer.getvalue(), "caption.txt": b"a caption"}
    for shard in range(-(-members // SHARD)):
        with (folder / f"train-{shard:06d}.tar").open("wb") as file:
            for i in range(shard * SHARD // 2, min((shard + 1) * SHARD, members) // 2):
                for end, data in contents.items():
                    info = tarfile.TarInfo(f"{i:09d}.{end}")
                    info.size = len(data)
                    file.write(info.tobuf(tarfile.USTAR_FORMAT) + data.ljust(tarfile.BLOCKSIZE, b"\0"))
            file.write(bytes(2 * tarfile.BLOCKSIZE))


def indexed(folder: Path) -> tuple[int, float, float]:
    """Samples, seconds, and MB that this process grew by, at their peak."""
    before, start = peak(), perf_counter()
    samples = open_folder(folder).samples
    return len(samples), perf_counter() - start, peak() - before


def write_pictures(folder: Path, n: int) -> None:
    noise = np.random.default_rng(0)
    for i in range(n):
        coarse = Image.fromarray(noise.integers(0, 256, (8, 8, 3), np.uint8))
        coarse.resize((SIDE, SIDE)).save(folder / f"{i:06d}.image.png")
        (folder / f"{i:06d}.caption.txt").write_text(f"picture {i}\n")


def rate(folder: Folder, order: list[int]) -> float:
    """Samples that are read in a second."""
    reader, start = Reader(folder), perf_counter()
    for i in order:
        reader.read(folder.samples[i])
    return len(order) / (perf_counter() - start)


def reading(folder: Path, n: int, rounds: int) -> Iterator[tuple[float, float]]:
    """Samples a second from files and from shards."""
    (folder / "files").mkdir()
    write_pictures(folder / "files", n)
    modaloom.shard(folder / "files", folder / "shards", samples=1000)
    files, shards = open_folder(folder / "files"), open_folder(folder / "shards")
    for seed in range(rounds):
        order = random.Random(seed).sample(range(n), n)
        yield rate(files, order), rate(shards, order)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--pictures", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where they are written for a while")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        write_members(Path(temporary), options.members)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            n, seconds, megabytes = pool.apply(indexed, (Path(temporary),))
        assert n == options.members // 2
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        rates = [*reading(Path(temporary), options.pictures, options.rounds)]
    values = (
        *(seconds, megabytes),
        *(median(column) for column in zip(*rates)),
        median(shards / files for files, shards in rates),
    )
    publish(TARGETS, {"measured": dict(zip([one.name for one in TARGETS], values))}, options.json)


if __name__ == "__main__":
    main()
