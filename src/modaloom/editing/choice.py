"""Which clip is shown in which shot."""

import math
from collections.abc import Sequence

REPEATED = 1.0
"""Cost of every earlier shot of a clip, in units of the costs."""


def choose_clips(
    shots: Sequence[int], clips: Sequence[int], costs: Sequence[Sequence[float]]
) -> list[tuple[int, int]]:
    """One after the other, the cheapest clip that is long enough and was shown least.

    No clip is shown twice in a row where there is another. A clip goes on where it was left, or, after
    itself, a shot's length later, which is a cut; it begins anew if too little is left of it.

    Args:
        shots: their lengths in frames.
        clips: their lengths in frames; one is as long as the longest shot.
        costs: of each shot, of each clip, of the order of 1.

    Returns:
        Clip and first frame of each shot.
    """
    uses, ends, chosen = [0] * len(clips), [0] * len(clips), list[tuple[int, int]]()
    for length, row in zip(shots, costs, strict=True):
        last = chosen[-1][0] if chosen else -1

        def cost(clip: int, length: int = length, row: Sequence[float] = row, last: int = last) -> float:
            if clips[clip] < length:
                return math.inf
            return row[clip] + REPEATED * uses[clip] + (len(clips) * REPEATED * 1e3 if clip == last else 0.0)

        clip = min(range(len(clips)), key=cost)
        after = ends[clip] + (length if clip == last else 0)
        first = after if after + length <= clips[clip] else 0
        uses[clip], ends[clip] = uses[clip] + 1, first + length
        chosen.append((clip, first))
    return chosen
