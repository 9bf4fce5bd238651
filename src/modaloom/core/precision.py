"""Whether products in bfloat16 pay on this machine: measured, because a processor's flags do not say.

On a Xeon whose AMX is masked, AVX512_BF16 remains and a product in bfloat16 takes twice as long as in float32
(oneDNN); with AVX512 alone 6 times as long, with AVX2 130 times.
"""

import time
from functools import lru_cache

import torch
from torch import Tensor

SIDE = 256
"""Of the square matrices that are multiplied, near what a small model's layers multiply."""
ROUNDS = 5
"""Products of each kind; they alternate, and the quickest of each counts, so that a busy machine cannot
decide."""
HOPELESS = 4.0
"""Times as long as float32 after which one round is enough."""


@lru_cache
def fast_bf16(device: str) -> bool:
    """Whether a device ("cpu", "cuda", …) multiplies bfloat16 faster than float32; once a process."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and bf16_time_ratio() < 1


def bf16_time_ratio() -> float:
    """Time of a CPU product in bfloat16 / in float32."""
    matrix = torch.linspace(-1, 1, SIDE * SIDE).reshape(SIDE, SIDE)
    half = matrix.bfloat16()
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        times = [(_seconds(matrix), _seconds(half))]  # the first ones also make the kernels
        ratio = times[0][1] / times[0][0]
        if ratio < HOPELESS or times[0][1] < 0.01:
            times = [(_seconds(matrix), _seconds(half)) for _ in range(ROUNDS)]
    return min(t for _, t in times) / min(t for t, _ in times)


def _seconds(matrix: Tensor) -> float:
    start = time.perf_counter()
    torch.mm(matrix, matrix)
    return time.perf_counter() - start
