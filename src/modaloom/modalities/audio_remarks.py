"""What reading changes of sounds, told from a few files of a stream."""

from collections import Counter
from collections.abc import Iterator, Sequence

import soundfile

from modaloom.modalities.audio_format import FORMATS, SOUNDS
from modaloom.modalities.files import File, opened
from modaloom.modalities.formats import FileFormat

USUAL_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 176400, 192000)
LOSSY_OF_FLOATS = ("PCM_32", "DOUBLE")
"""Subtypes that 32-bit floats do not hold exactly."""


def remarks(paths: Sequence[File]) -> list[str]:
    """Sentences on files of another format than their suffix says, unusual and different rates, and what is
    not exact."""
    counts = Counter(remark for path in paths for remark in SOUNDS.remarks(path, _remarks))
    rates = Counter(rate for path in paths for rate in _rates(path))
    for usual, count in rates.most_common(1) if len(rates) > 1 else ():
        other = f"have another rate than the most common one, {usual:,} Hz, and are resampled"
        counts[other] = rates.total() - count
    return [f"{count} of {len(paths)} sounds looked at {remark}" for remark, count in counts.items()]


def _rates(path: File) -> Iterator[int]:
    try:
        with opened(path) as source:
            yield soundfile.info(source).samplerate
    except Exception:  # formats of other libraries, and damaged data, which reading will name
        return


def _remarks(path: File, found: FileFormat) -> Iterator[str]:
    if found is FORMATS["AAC"]:
        yield "are AAC without a container, which begins about 1,024 samples late; use .m4a to be exact"
    if not found.container:
        with opened(path) as source:
            facts = soundfile.info(source)
        if facts.samplerate not in USUAL_RATES:
            yield f"claim {facts.samplerate:,} samples a second, and are taken at their word"
        if facts.subtype in LOSSY_OF_FLOATS:
            yield "have more than 24 bits, of which floats keep 24"
