"""How many samples the frames of an MP3 file hold, counted by their headers (ISO/IEC 11172-3, §2.4.1.3).

Decoders take the number from the first frame, where one is there that tells it, and guess it otherwise.
"""

from mmap import mmap
from typing import NamedTuple

from modaloom.modalities.files import File, mapped

HEADER, TAG_HEADER = 4, 10
"""Bytes of the header of a frame, and of a tag (ID3v2) before frames."""
HEAD, MARKS = 64, (b"Xing", b"Info", b"VBRI")
"""Bytes of the first frame, and what is among them where it tells the number of frames."""
MAX_JUNK = 100_000
"""Most bytes of 255 in a row that begin no frame; what follows them is not counted."""
LAYER_3 = 1
RATES = (44_100, 48_000, 32_000)
"""Of version 1; halves of them are of version 2, quarters of version 2.5."""
KILOBITS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By whether it is version 1."""
DIVISOR = {3: 1, 2: 2, 0: 4}
"""Bits of the version → what its rates are divided by."""


class Mp3Samples(NamedTuple):
    """What the frames of a file hold."""

    total: int
    """Samples of each channel in all frames of layer III, without what lies between them."""
    are_told: bool
    """Whether the file says how many there are."""


def mp3_samples(path: File) -> Mp3Samples:
    """Counts the frames of a file."""
    with mapped(path) as (data, start):
        return _counted(data, start)


def _counted(data: mmap | bytes, place: int) -> Mp3Samples:
    samples, first, junk = 0, -1, 0
    while 0 <= place < len(data) - HEADER and junk < MAX_JUNK:
        if data[place : place + 3] == b"ID3":
            size = data[place + 6 : place + TAG_HEADER]
            place += TAG_HEADER + sum((byte & 127) << shift for byte, shift in zip(size, (21, 14, 7, 0)))
        elif (frame := _frame(data[place : place + HEADER])) is not None:
            first = place if first < 0 else first
            samples, junk = samples + frame[1], 0
            place += frame[0]
        else:
            place, junk = data.find(b"\xff", place + 1), junk + 1
    return Mp3Samples(samples, any(mark in data[max(0, first) : max(0, first) + HEAD] for mark in MARKS))


def _frame(header: bytes) -> tuple[int, int] | None:
    """Bytes and samples of a frame; None: no frame begins so."""
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bits, rate = header[2] >> 4, header[2] >> 2 & 3
    synced = header[0] == 0xFF and header[1] >> 5 == 7
    if not synced or version not in DIVISOR or layer != LAYER_3 or bits in (0, 15) or rate == len(RATES):
        return None
    first = version == 3
    hertz, samples = RATES[rate] // DIVISOR[version], 1_152 if first else 576
    return samples // 8 * 1_000 * KILOBITS[first][bits] // hertz + (header[2] >> 1 & 1), samples
