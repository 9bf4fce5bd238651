"""Files of sounds: wav, FLAC, Ogg and MP3 by libsndfile, others by FFmpeg; wav and FLAC are written."""

import io
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import soundfile

from modaloom.core.errors import BadFile, BadValue, short
from modaloom.modalities import audio_container
from modaloom.modalities.audio_format import SOUNDS
from modaloom.modalities.audio_value import BITS, MAX_CHANNELS, Audio, Samples, peak
from modaloom.modalities.files import File, check_file, opened
from modaloom.modalities.mp3 import Mp3Samples, mp3_samples

MAX_BYTES = 2**32
MAX_VALUES = 2**28
"""Most samples of all channels that are decoded: 93 minutes of 48 kHz mono, in 1 GiB."""
MAX_STREAMED = 2**33
"""The same of a sound that is read in pieces: 49 hours of 48 kHz mono."""
PIECE = 2**18
"""Samples of each channel in a piece."""
MAX_PEAK = 4.0
"""Floats up to here are clipped to [-1, 1], as every player does; above, they have another scale."""
UNTOLD = 2**63 - 1
"""What libsndfile says of a file that does not tell its samples: FLAC that was written to a pipe."""
MP3_FRAME = 1_152
"""Samples of the last frame of an MP3 file, whose loss is not told from padding."""
TYPES: Mapping[str, str] = {
    "PCM_24": "int24",
    **dict.fromkeys(("PCM_32", "FLOAT", "DOUBLE"), "float32"),
}
"""Subtype of libsndfile → type; all others have 16 bits or fewer."""
MP3_SLACK = 4 * MP3_FRAME
"""Samples of a header's frame, and of an encoder's delay. A file that differs by more from what libsndfile
says has a variable rate and does not tell its length, or is several, one after another."""
VORBIS_ORDER: Mapping[int, list[int]] = {
    **{3: [0, 2, 1], 5: [0, 2, 1, 3, 4], 6: [0, 2, 1, 5, 3, 4]},
    **{7: [0, 2, 1, 6, 5, 3, 4], 8: [0, 2, 1, 7, 5, 6, 3, 4]},
}
"""Channels of Ogg files → their places in the order of wav (Vorbis I, §4.3.9)."""
VORBIS = ("VORBIS", "OPUS")
FLOAT_TAG, PCM_TAG = 3, 1
WAV_HEAD = 44
"""Bytes before the samples of a written wav."""
MAX_WAV = 2**32 - 1 - WAV_HEAD
"""Bytes of samples."""


def read(path: File) -> Audio:
    """Reads a sound with its rate, channels and type. Formats are told by content.

    Raises `BadFile` for files that are cut short, empty, silently short, too long, of no known format or
    suffix, or hold NaN.
    """
    first, *more = read_pieces(path, size=MAX_VALUES, max_values=MAX_VALUES)
    samples = [piece.samples for piece in (first, *more)]
    return replace(first, samples=np.concatenate(samples, 1)) if more else first


def read_pieces(path: File, *, size: int = PIECE, max_values: int = MAX_STREAMED) -> Iterator[Audio]:
    """Reads a sound of any length in pieces of `size` samples of each channel.

    Raises `BadFile` as `read`; what a file lacks at its end, after its last piece.
    """
    length = check_file(path, limit=MAX_BYTES)
    try:
        for samples, rate, kind in _decoded(path, length, size, max_values):
            yield Audio(_clipped(samples), rate, kind)
    except BadFile:
        raise
    except BadValue as error:
        raise BadFile(path, str(error)) from error
    except Exception as error:  # decoders raise nearly anything on damaged data
        raise BadFile(path, f"cannot be decoded as a sound ({short(str(error))})") from error


def _decoded(path: File, length: int, size: int, most: int) -> Iterator[tuple[Samples, int, str]]:
    """File of `length` bytes → pieces (C, n), rate and type."""
    if container := SOUNDS.checked(path, length).container:
        yield from audio_container.decode(path, container, size=size, max_values=most)
    else:
        yield from _libsndfile(path, size, most)


class _Forward(soundfile.SoundFile):  # type: ignore[misc]
    """Is read from its start to its end: python-soundfile seeks after each read where it may, which makes
    the decoder of MP3 begin anew."""

    def seekable(self) -> bool:
        return False


def _libsndfile(path: File, size: int, most: int) -> Iterator[tuple[Samples, int, str]]:
    """File → pieces (C, n), rate and type."""
    with opened(path) as source, _Forward(source) as file:
        frames, channels, rate, subtype = file.frames, file.channels, file.samplerate, file.subtype
        if channels > MAX_CHANNELS:
            raise BadFile(path, f"has {channels} channels; at most {MAX_CHANNELS} are read")
        if subtype.startswith("MPEG") and not _is_told(frames, mp3_samples(path)):
            yield from audio_container.decode(path, "mp3", size=size, max_values=most)
            return
        is_told = frames != UNTOLD
        order, left = VORBIS_ORDER.get(channels, ...) if subtype in VORBIS else ..., 0
        while left < frames:
            if (least := (frames if is_told else left) * channels) > most:
                said = f"{least:,}" if is_told else f"more than {most:,}"
                raise BadFile(path, f"holds {said} samples; at most {most:,} are decoded")
            wanted = min(size, frames - left if is_told else PIECE)
            found = file.read(wanted, dtype="float32", always_2d=True).T
            if not found.shape[1]:
                break
            left += found.shape[1]
            yield found[order], rate, TYPES.get(subtype, "int16")
    lossy = MP3_FRAME if subtype.startswith("MPEG") else 0
    if not left:
        raise BadFile(path, "holds no sound; it is empty or cut short")
    if is_told and left < frames - lossy:
        have, whole = left / rate, frames / rate
        raise BadFile(path, f"is cut short: {have:.2f} s are left of the {whole:.2f} s that it tells")


def _is_told(frames: int, found: Mp3Samples) -> bool:
    """Whether so many samples, as libsndfile says, are all of an MP3 file; of one that is cut short they are
    more than it has."""
    more = found.total - frames
    return more <= MP3_SLACK and (found.are_told or more >= -MP3_SLACK)


def _clipped(samples: Samples) -> Samples:
    """Samples in [-1, 1]. Raises `BadValue` for those of another scale."""
    most = peak(samples)
    if MAX_PEAK < most < np.inf:
        raise BadValue(f"has samples up to {most:g}; scale them to -1 to 1")
    return np.ascontiguousarray(samples.clip(-1, 1) if 1 < most < np.inf else samples)


def write(audio: Audio, path: Path) -> None:
    """Writes FLAC or wav, as the suffix says, in the sound's type; FLAC has 24 bits for floats."""
    if path.suffix.lower() == ".flac":
        path.write_bytes(_flac(audio))
    else:
        write_pieces([audio], audio.samples.shape[1], path)


def write_pieces(pieces: Iterable[Audio], n: int, path: Path) -> None:
    """Writes a wav of n samples of each channel from the pieces of a sound, at least one; what they have
    beyond is left out, and what they lack is silence. Raises `BadValue` for more than a wav may have.

    Canonical RIFF. Not libsndfile's, whose files of floats hold the time of day.
    """
    rest = iter(pieces)
    first = next(rest)
    frame = _data(replace(first, samples=first.samples[:, :1]))
    data = n * len(frame)
    with path.open("wb") as file:
        file.write(_head(first, len(frame), data))
        for piece in chain([first], rest):
            file.write(_data(piece)[: max(0, data - (file.tell() - WAV_HEAD))])
        file.write(bytes(data + data % 2 - (file.tell() - WAV_HEAD)))


def _flac(audio: Audio) -> bytes:
    buffer, bits = io.BytesIO(), BITS[audio.type]
    soundfile.write(buffer, audio.integers.T << (32 - bits), audio.rate, f"PCM_{bits}", format="FLAC")
    return buffer.getvalue()


def _head(audio: Audio, frame: int, data: int) -> bytes:
    """Before so many bytes of samples, `frame` for those of all channels at once."""
    if data > MAX_WAV:
        raise BadValue(f"{data:,} bytes of samples are more than a wav has, which is {MAX_WAV:,}")
    tag = FLOAT_TAG if audio.type == "float32" else PCM_TAG
    facts = tag, audio.channels, audio.rate, audio.rate * frame, frame, 8 * frame // audio.channels
    size = WAV_HEAD - 8 + data + data % 2
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", size, b"WAVE", b"fmt ", 16, *facts)
    return head + struct.pack("<4sI", b"data", data)


def _data(audio: Audio) -> bytes:
    """Little-endian samples, those of all channels one after another."""
    if audio.type == "float32":
        return audio.samples.T.astype("<f4").tobytes()
    whole = np.ascontiguousarray(audio.integers.T.astype("<i4")).view(np.uint8).reshape(-1, 4)
    return whole[:, : BITS[audio.type] // 8].tobytes()
