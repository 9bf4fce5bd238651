"""How often codes occur, and their perplexity."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch

from modaloom.core.types import CodeShape


def code_usage(shape: CodeShape, chunks: Iterable[Sequence[np.ndarray]]) -> dict[str, Any]:
    """JSON-able counts and perplexity of the codes of each depth.

    Args:
        shape: shape of the codes; the padding of a variable stream is no code and is not counted.
        chunks: codes (L, Q) of any number of values.
    """
    counts = np.zeros((shape.depth, shape.codebook_size), np.int64)
    for codes in chunks:
        for depth, seen in enumerate(np.concatenate(codes).T):
            counts[depth] += np.bincount(seen[seen < shape.codebook_size], minlength=shape.codebook_size)
    found = torch.from_numpy(counts)
    return {
        "size": shape.codebook_size,
        "depth": shape.depth,
        "shared": shape.shared,
        "counts": counts.tolist(),
        "perplexity": [float(torch.special.entr(c / c.sum()).sum().exp()) for c in found],
    }
