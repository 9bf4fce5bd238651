"""Sounds of any length through a trained tokenizer: speed, memory, seams, and codes by size of the pieces.

python benchmarks/sound_speed.py RUN FOLDER [--minutes 120] [--repeats 5] [--parts speed long] [--json FILE]

RUN has a stream of sounds of variable length, such as benchmarks/codec.py trains; FOLDER has wavs, which are
joined and repeated. `speed`: a minute of sound in the CPU time of this process, medians. `long`: a file of so
many minutes through `tokenize` and `detokenize`, in a process of its own. A jump is the difference of two
neighbouring samples; at seams, of those where blocks of Griffin–Lim meet.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import soundfile
import torch
from figures import Figures, Target, publish

import modaloom
from modaloom.modalities.audio import unpack_file
from modaloom.modalities.audio_file import read, read_pieces
from modaloom.modalities.audio_packing import AUDIBLE, normalize, pack, pack_pieces
from modaloom.modalities.audio_spec import log_mel_of
from modaloom.modalities.signal_codec import Pieces
from modaloom.spectral import decode_pieces
from modaloom.spectral.blockwise import BLOCK
from modaloom.tokenizers.file_codec import FileCodec

PIECES = (4_001, 48_000, 2**20)
"""Samples of the pieces that a file is read in."""
TARGETS = [
    Target("encode, × real time", 50),
    Target("decode, × real time"),
    Target("Griffin–Lim, × real time", 12),
    Target("codes equal at three sizes of pieces", 1),
    Target("codes equal to the whole's"),
    Target("peak beyond the loaded run, MB", 1000, "≤"),
    Target("peak, MB", 1000, "≤"),
    Target("samples too many or too few", 0, "≤"),
    Target("jump at seams, of the RMS"),
    Target("jump elsewhere, of the RMS"),
    Target("jump at seams beyond elsewhere", 0.05, "≤"),
    Target("encode a long file, × real time"),
    Target("decode a long file, × real time"),
]


def stream_of(run: Any) -> tuple[str, FileCodec]:
    """The first stream that is encoded file by file."""
    return next(iter(run.model.files.items()))


def write_long(folder: Path, path: Path, seconds: int, rate: int) -> int:
    """The wavs of a folder at this rate, joined and repeated; returns the number of samples."""
    found = (read(one).samples[0] for one in sorted(folder.rglob("*.wav")) if soundfile.info(one).frames)
    parts, total = list[Any](), 0
    while total < min(seconds, 600) * rate:
        parts.append(next(found))
        total += len(parts[-1])
    joined, n = np.concatenate(parts), seconds * rate
    with soundfile.SoundFile(path, "w", rate, 1, "PCM_16") as file:
        for start in range(0, n, len(joined)):
            file.write(joined[: n - start])
    return n


def times_real(seconds: float, repeats: int, work: Callable[[], Any]) -> float:
    """Median seconds of sound in a second of CPU time, after a first time that does not count."""
    found = []
    for _ in range(repeats + 1):
        start = time.process_time()
        work()
        found.append(seconds / (time.process_time() - start))
    return median(found[1:])


def speed(run: Path, folder: Path, repeats: int) -> Figures:
    _, files = stream_of(modaloom.load(run))
    spec, seconds = files.spec, 60
    mel = log_mel_of(spec)
    with tempfile.TemporaryDirectory() as place:
        path, back = Path(place) / "a.wav", Path(place) / "back.wav"
        write_long(folder, path, seconds, spec["rate"])
        codes = files.encode(path)
        packed = pack(read(path), {**spec, "size": [100 * seconds]})
        log_mel = normalize(torch.from_numpy(packed)).reshape(spec["tracks"], spec["bands"], -1).numpy()

        def griffin_lim() -> None:
            for _ in decode_pieces(
                mel, [log_mel], generator=torch.Generator().manual_seed(0), audible=AUDIBLE
            ):
                pass

        def by(size: int) -> torch.Tensor:
            pieces = Pieces(lambda p, s: pack_pieces(read_pieces(p, size=size), s), unpack_file)
            return replace(files, pieces=pieces).encode(path).codes

        whole = files.encode_batch(torch.from_numpy(packed[None]))[0]
        return {
            "encode, × real time": times_real(seconds, repeats, lambda: files.encode(path)),
            "decode, × real time": times_real(seconds, repeats, lambda: files.decode(codes, back)),
            "Griffin–Lim, × real time": times_real(seconds, repeats, griffin_lim),
            "codes equal at three sizes of pieces": float(
                all(torch.equal(by(size), codes.codes) for size in PIECES)
            ),
            "codes equal to the whole's": float((codes.codes.long() == whole).double().mean()),
        }


def peak() -> float:
    """MB of resident memory of this process, at most so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def long(run: Path, folder: Path, minutes: int, send: Any) -> None:
    """In a process of its own: sends the figures."""
    torch.set_num_threads(1)
    loaded = modaloom.load(run)
    name, files = stream_of(loaded)
    rate, hop = files.spec["rate"], log_mel_of(files.spec).stft.hop
    with tempfile.TemporaryDirectory() as place:
        data, codes, back = (Path(place) / each for each in ("data", "codes", "back"))
        data.mkdir()
        n = write_long(folder, data / f"a.{name}.wav", 60 * minutes, rate)
        before, start = peak(), time.process_time()
        modaloom.tokenize(run, data, out=codes)
        middle = time.process_time()
        modaloom.detokenize(run, codes, out=back)
        end = time.process_time()
        found = {
            "peak beyond the loaded run, MB": peak() - before,
            "peak, MB": peak(),
            "encode a long file, × real time": 60 * minutes / (middle - start),
            "decode a long file, × real time": 60 * minutes / (end - middle),
        }
        path = back / f"a.{name}.wav"
        found["samples too many or too few"] = abs(soundfile.info(path).frames - n)
        seams, elsewhere, level = (np.concatenate(each) for each in zip(*jumps(path, hop)))
        rms = float(np.sqrt(np.mean(level)))
    found["jump at seams, of the RMS"] = float(seams.mean()) / rms
    found["jump elsewhere, of the RMS"] = float(elsewhere.mean()) / rms
    found["jump at seams beyond elsewhere"] = float(seams.mean() - elsewhere.mean()) / rms
    send.send(found)


def jumps(path: Path, hop: int) -> Iterator[tuple[Any, Any, Any]]:
    """By block: jumps at its seam and elsewhere, and mean squares."""
    with soundfile.SoundFile(path) as file:
        for start in range(BLOCK, file.frames // hop, BLOCK):
            file.seek((start - BLOCK // 2) * hop)
            samples = file.read(BLOCK * hop, dtype="float32")
            seam, jump = (BLOCK // 2 - 1) * hop - 1, np.abs(np.diff(samples))
            yield jump[seam : seam + 1], np.delete(jump, seam), np.square(samples)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=int, default=120)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--parts", nargs="+", default=["speed", "long"], choices=["speed", "long"])
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, float] = {}
    if "speed" in options.parts:
        found |= speed(options.run, options.folder, options.repeats)
    if "long" in options.parts:
        receive, send = multiprocessing.Pipe(duplex=False)
        arguments = options.run, options.folder, options.minutes, send
        process = multiprocessing.get_context("spawn").Process(target=long, args=arguments)
        process.start()
        found |= receive.recv()
        process.join()
    publish(TARGETS, {"measured": found}, options.json)


if __name__ == "__main__":
    main()
