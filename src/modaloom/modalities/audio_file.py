"""Files of sounds: wav, FLAC, Ogg and MP3 by libsndfile, others by FFmpeg; wav and FLAC are written."""

import io
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from modaloom.core.errors import BadFile, BadValue, short
from modaloom.modalities import audio_container
from modaloom.modalities.audio_format import FORMATS, HEAD, READ, format_of
from modaloom.modalities.audio_value import BITS, MAX_CHANNELS, Audio, Samples, peak
from modaloom.modalities.files import check_file

MAX_BYTES = 2**32
MAX_VALUES = 2**28
"""Most samples of all channels that are decoded: 93 minutes of 48 kHz mono, in 1 GiB."""
MAX_PEAK = 4.0
"""Floats up to here are clipped to [-1, 1], as every player does; above, they have another scale."""
MP3_FRAME = 1_152
"""Samples of the last frame of an MP3 file, whose loss is not told from padding."""
TYPES: Mapping[str, str] = {
    "PCM_24": "int24",
    **dict.fromkeys(("PCM_32", "FLOAT", "DOUBLE"), "float32"),
}
"""Subtype of libsndfile → type; all others have 16 bits or fewer."""
VORBIS_ORDER: Mapping[int, list[int]] = {3: [0, 2, 1], 5: [0, 2, 1, 3, 4], 6: [0, 2, 1, 5, 3, 4]}
"""Channels of Ogg files → their places in the order of wav (Vorbis I, §4.3.9)."""
VORBIS = ("VORBIS", "OPUS")
FLOAT_TAG, PCM_TAG = 3, 1


def read(path: Path) -> Audio:
    """Reads a sound with its rate, channels and type. Formats are told by content.

    Raises `BadFile` for files that are cut short, empty, silently short, too long, of no known format or
    suffix, or hold NaN.
    """
    size = check_file(path, limit=MAX_BYTES)
    try:
        return _decode(path, size)
    except BadFile:
        raise
    except BadValue as error:
        raise BadFile(path, str(error)) from error
    except Exception as error:  # decoders raise nearly anything on damaged data
        raise BadFile(path, f"cannot be decoded as a sound ({short(str(error))})") from error


def _decode(path: Path, size: int) -> Audio:
    with path.open("rb") as file:
        name = format_of(file.read(HEAD), path)
        if name is None:
            raise BadFile(path, "cannot be decoded as a sound (it is of no known format)")
        if path.suffix[1:].lower() not in READ:
            suffixes = ", ".join(f".{suffix}" for suffix in READ)
            raise BadFile(path, f"holds {name} data, and its name ends in no suffix of a sound ({suffixes})")
        if not FORMATS[name].ends(file, size):
            raise BadFile(path, "is cut short: its end is missing")
    if container := FORMATS[name].container:
        samples, rate, kind = audio_container.decode(path, container, max_values=MAX_VALUES)
    else:
        samples, rate, kind = _libsndfile(path)
    return Audio(_clipped(samples), rate, kind)


def _libsndfile(path: Path) -> tuple[Samples, int, str]:
    """File → samples (C, n), rate and type."""
    with soundfile.SoundFile(path) as file:
        frames, channels = file.frames, file.channels
        if channels > MAX_CHANNELS:
            raise BadFile(path, f"has {channels} channels; at most {MAX_CHANNELS} are read")
        if frames * channels > MAX_VALUES:
            raise BadFile(path, f"holds {frames * channels:,} samples; at most {MAX_VALUES:,} are decoded")
        found = file.read(frames, dtype="float32", always_2d=True).T
        rate, subtype = file.samplerate, file.subtype
    lossy = MP3_FRAME if subtype.startswith("MPEG") else 0
    if not found.shape[1]:
        raise BadFile(path, "holds no sound; it is empty or cut short")
    if found.shape[1] < frames - lossy:
        left, whole = found.shape[1] / rate, frames / rate
        raise BadFile(path, f"is cut short: {left:.2f} s are left of the {whole:.2f} s that it tells")
    order = VORBIS_ORDER.get(channels) if subtype in VORBIS else None
    return found if order is None else found[order], rate, TYPES.get(subtype, "int16")


def _clipped(samples: Samples) -> Samples:
    """Samples in [-1, 1]. Raises `BadValue` for those of another scale."""
    most = peak(samples)
    if MAX_PEAK < most < np.inf:
        raise BadValue(f"has samples up to {most:g}; scale them to -1 to 1")
    return np.ascontiguousarray(samples.clip(-1, 1) if 1 < most < np.inf else samples)


def write(audio: Audio, path: Path) -> None:
    """Writes FLAC or wav, as the suffix says, in the sound's type; FLAC has 24 bits for floats."""
    path.write_bytes(_flac(audio) if path.suffix.lower() == ".flac" else _wav(audio))


def _flac(audio: Audio) -> bytes:
    buffer, bits = io.BytesIO(), BITS[audio.type]
    soundfile.write(buffer, audio.integers.T << (32 - bits), audio.rate, f"PCM_{bits}", format="FLAC")
    return buffer.getvalue()


def _wav(audio: Audio) -> bytes:
    """Canonical RIFF. Not libsndfile's, whose files of floats hold the time of day."""
    bits, tag = (32, FLOAT_TAG) if audio.type == "float32" else (BITS[audio.type], PCM_TAG)
    if tag == FLOAT_TAG:
        data = audio.samples.T.astype("<f4").tobytes()
    else:
        whole = np.ascontiguousarray(audio.integers.T.astype("<i4")).view(np.uint8).reshape(-1, 4)
        data = whole[:, : bits // 8].tobytes()
    frame = audio.channels * bits // 8
    head = struct.pack("<HHIIHH", tag, audio.channels, audio.rate, audio.rate * frame, frame, bits)
    chunks = _chunk(b"fmt ", head) + _chunk(b"data", data)
    return _chunk(b"RIFF", b"WAVE" + chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
