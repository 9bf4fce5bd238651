"""What reading changes of clips, told from a few files of a stream."""

from collections import Counter
from collections.abc import Iterator, Sequence

from modaloom.modalities.files import File
from modaloom.modalities.formats import FileFormat
from modaloom.modalities.video_format import VIDEOS
from modaloom.modalities.video_header import header_of


def remarks(paths: Sequence[File]) -> list[str]:
    """Sentences on files of another format than their suffix says, and on what is lost of their pictures."""
    counts = Counter(remark for path in paths for remark in VIDEOS.remarks(path, _remarks))
    return [f"{count} of {len(paths)} videos looked at {remark}" for remark, count in counts.items()]


def _remarks(path: File, found: FileFormat) -> Iterator[str]:
    if not found.container:
        return
    header = header_of(path, found.container)
    if header.tracks > 1:
        yield "have several tracks of pictures, of which the first is read"
    if header.bits > 8:
        yield f"have {header.bits} bits a channel, of which 8 are kept"
    if header.interlaced:
        yield "are interlaced: each of their frames has the lines of two moments"
    if not header.square:
        yield "have pixels that are not square, and are read pixel by pixel"
    if not header.regular:
        yield "have a variable rate, and are put on a fixed grid by their presentation times"
