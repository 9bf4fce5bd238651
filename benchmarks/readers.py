"""Formats that `mutated.py` damages: valid files of each, and what reads them."""

import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

import modaloom

BUNDLED = Path(modaloom.__file__).parent / "bundled" / "demo" / "model"


@dataclass(frozen=True)
class Case:
    """A format: valid files, and what reads them."""

    suffix: str
    files: Callable[[], Sequence[bytes]]
    read: Callable[[Path], object]


def pictures(format: str) -> Sequence[bytes]:
    """Of several modes."""
    random, found = np.random.default_rng(0), []
    for mode in ("RGB", "L") if format == "JPEG" else ("RGB", "RGBA", "L", "P"):
        buffer = io.BytesIO()
        Image.fromarray(random.integers(0, 256, (24, 20, 3), np.uint8)).convert(mode).save(buffer, format)
        found.append(buffer.getvalue())
    return found


def tiffs() -> Sequence[bytes]:
    """Of 16 bits, floats, many bands, pages and compression."""
    import tifffile

    random = np.random.default_rng(0)
    values = [random.integers(0, 4096, shape, np.uint16) for shape in ((24, 20), (24, 20, 13), (5, 24, 20))]
    values.append(random.normal(size=(24, 20)).astype(np.float32))
    found = []
    for value in values:
        for compression in (None, "zlib"):
            buffer = io.BytesIO()
            tifffile.imwrite(buffer, value, photometric="minisblack", compression=compression)
            found.append(buffer.getvalue())
    return found


def arrays(save: Callable[..., None]) -> Sequence[bytes]:
    """NumPy's formats."""
    found = []
    for kind in (np.uint8, np.uint16, np.float32, np.int64):
        buffer = io.BytesIO()
        save(buffer, np.arange(24 * 20 * 3).reshape(24, 20, 3).astype(kind))
        found.append(buffer.getvalue())
    return found


def sounds(format: str, subtype: str) -> Sequence[bytes]:
    """Of one and of two channels, by libsndfile."""
    import soundfile

    t, found = np.arange(4_000) / 16_000, []
    for channels in (1, 2):
        wave = np.stack([0.5 * np.sin(2 * np.pi * 440 * (1 + c) * t) for c in range(channels)], 1)
        buffer = io.BytesIO()
        soundfile.write(buffer, wave, 16_000, subtype, format=format)
        found.append(buffer.getvalue())
    return found


def media(format: str, codec: str) -> Sequence[bytes]:
    """Of one channel, by FFmpeg."""
    import av

    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(12_000) / 48_000)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=format) as container:
        stream = container.add_stream(codec, rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
        container.mux([*stream.encode(frame), *stream.encode()])
    return [buffer.getvalue()]


def clips(suffix: str) -> Sequence[bytes]:
    """Without and, where the format has it, with sound."""
    from modaloom.modalities.audio_value import Audio
    from modaloom.modalities.video_encode import ENCODINGS, encoded
    from modaloom.modalities.video_value import Video

    frames = np.random.default_rng(0).integers(0, 256, (6, 24, 20, 3), np.uint8)
    clip = Video.of(frames, 8)
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(12_000) / 16_000)[None]
    sounds = [{}, {"sound": Audio(wave.astype(np.float32), 16_000)}] if suffix in ENCODINGS else [{}]
    return [encoded(clip, tracks, suffix) for tracks in sounds]


def parquets() -> Sequence[bytes]:
    """With numbers, texts, lists, files and missing cells."""
    import pyarrow as pa
    from pyarrow import parquet

    table = {
        "file_name": ["a.png", "b.png"],
        "n": [1, None],
        "x": [0.5, 2.0],
        "captions": [["a"], ["b", "c"]],
        "image": [{"bytes": pictures("PNG")[0], "path": None}, None],
    }
    buffer = io.BytesIO()
    parquet.write_table(pa.table(table), buffer)
    return [buffer.getvalue()]


def archives() -> Sequence[bytes]:
    """Tars of every format, with names of any length and folders."""
    found = []
    for kind in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
            for i in range(3):
                for stem in (f"{i}", f"folder/{'long' * 10}/{'日' * 25}/{i}"):
                    info = tarfile.TarInfo(f"{stem}.txt")
                    info.size = 600 * i
                    archive.addfile(info, io.BytesIO(bytes(info.size)))
        found.append(buffer.getvalue())
    return found


def read_archive(path: Path) -> object:
    """The bytes of its members."""
    from modaloom.data.tar_members import members
    from modaloom.data.walk import Problem

    return [one.read_bytes() for one in members(path) if not isinstance(one, Problem)]


def model_files() -> Sequence[bytes]:
    """The configuration of the bundled model."""
    return [(BUNDLED / "config.json").read_bytes()]


def read_model(path: Path) -> object:
    """Loads the bundled model with a configuration whose own hash is made right where it can be."""
    from modaloom.core.json_text import from_json
    from modaloom.data.atomic_io import digest, encode
    from modaloom.loom.files import unpack_model
    from modaloom.runs.model import load_model

    folder, text = path.parent / "model", path.read_bytes()
    if not folder.exists():
        folder.mkdir()
        for weights in BUNDLED.glob("*.safetensors"):
            (folder / weights.name).symlink_to(weights)
    try:
        plain = from_json(text)
        text = encode({**plain, "hash": digest(encode(plain["parts"]))})
    except (ValueError, LookupError, TypeError):
        pass
    (folder / "config.json").write_bytes(text)
    return unpack_model(load_model(folder).parts)


def shards() -> Sequence[bytes]:
    """Codes of two streams."""
    from safetensors.numpy import save

    tensors = {"codes.image": np.zeros((3, 16, 3), np.uint8), "codes.text": np.zeros((3, 9, 1), np.uint16)}
    return [save({**tensors, **{f"present.{name}": np.ones(3, bool) for name in ("image", "text")}})]


def cases() -> Mapping[str, Case]:
    """Name → format."""
    from modaloom.data.shards import ShardFile
    from modaloom.data.tables import read_table
    from modaloom.modalities import MODALITIES

    names = ("image", "raster", "text", "record", "audio", "video")
    image, raster, text, record, audio, video = (MODALITIES[name].read for name in names)
    rows = [{"file_name": f"{i}.png", "text": f"a “quoted”, text {i}", "price": i / 2} for i in range(5)]
    csv = [
        "file_name,text,price\n" + "".join(f'{i}.png,"a, b",{i}.5\n' for i in range(5)),
        "a;b\n1,5;x\n2,5;y\n",
    ]
    return {
        "png": Case(".png", lambda: pictures("PNG"), image),
        "jpeg": Case(".jpg", lambda: pictures("JPEG"), image),
        "webp": Case(".webp", lambda: pictures("WEBP"), image),
        "gif": Case(".gif", lambda: pictures("GIF"), image),
        "bmp": Case(".bmp", lambda: pictures("BMP"), image),
        "tiff as image": Case(".tif", lambda: [*pictures("TIFF"), *tiffs()], image),
        "tiff": Case(".tif", lambda: [*tiffs(), *pictures("TIFF")], raster),
        "png as raster": Case(".png", lambda: pictures("PNG"), raster),
        "npy": Case(".npy", lambda: arrays(np.save), raster),
        "npz": Case(".npz", lambda: arrays(np.savez_compressed), raster),
        "text": Case(".txt", lambda: ["three small ships, “quoted” 日本 🙂\n".encode() * 4], text),
        "record": Case(".json", lambda: [json.dumps(row).encode() for row in rows], record),
        "wav": Case(".wav", lambda: [*sounds("WAV", "PCM_16"), *sounds("WAV", "FLOAT")], audio),
        "flac": Case(".flac", lambda: sounds("FLAC", "PCM_24"), audio),
        "ogg": Case(".ogg", lambda: [*sounds("OGG", "VORBIS"), *sounds("OGG", "OPUS")], audio),
        "mp3": Case(".mp3", lambda: sounds("MP3", "MPEG_LAYER_III"), audio),
        "m4a": Case(".m4a", lambda: media("ipod", "aac"), audio),
        "webm": Case(".webm", lambda: media("webm", "libopus"), audio),
        **{
            f"{suffix} of pictures": Case(f".{suffix}", partial(clips, suffix), video)
            for suffix in ("mp4", "mov", "mkv", "webm", "gif")
        },
        "csv": Case(".csv", lambda: [one.encode() for one in csv], read_table),
        "tsv": Case(".tsv", lambda: [csv[0].replace(",", "\t").encode()], read_table),
        "jsonl": Case(".jsonl", lambda: ["\n".join(map(json.dumps, rows)).encode()], read_table),
        "parquet": Case(".parquet", parquets, read_table),
        "tar": Case(".tar", archives, read_archive),
        "shard": Case(".safetensors", shards, lambda path: ShardFile(path, ["a", "b", "c"]).read()),
        "model": Case(".json", model_files, read_model),
    }
