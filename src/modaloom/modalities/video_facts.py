"""Facts of clips: durations, sizes, rates."""

import statistics
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from modaloom.modalities.image_spec import sizes
from modaloom.modalities.video_value import Video


def describe(clips: Iterable[Video]) -> dict[str, Any]:
    """Returns shortest, median, longest and total duration, smallest and largest size (width × height),
    number of sizes, frames a second, and the range of the number of frames."""
    seconds, shapes, lengths = [], [], []
    rates: Counter[Fraction] = Counter()
    for clip in clips:
        seconds.append(clip.seconds)
        shapes.append((clip.width, clip.height))
        lengths.append(clip.length)
        rates[clip.fps] += 1
    several = len(rates) > 1
    return {
        "shortest": f"{min(seconds):.2f} s",
        "median": f"{statistics.median(seconds):.2f} s",
        "longest": f"{max(seconds):.2f} s",
        "total": f"{sum(seconds) / 60:.1f} minutes",
        **sizes(shapes),
        "rate": ", ".join(f"{float(fps):.5g} fps" + f" ({n})" * several for fps, n in sorted(rates.items())),
        "frames": f"{min(lengths):,} to {max(lengths):,}",
    }
