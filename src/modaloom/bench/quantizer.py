"""The nearest-code search and the training forward, beside vector-quantize-pytorch and the plain product.

The peer is its `VectorQuantize` with EMA codebook (0.99), Euclidean distance, no projection and no k-means.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from modaloom.bench.case import Case
from modaloom.bench.clock import milliseconds, one_thread, peak_megabytes
from modaloom.core.errors import BadValue
from modaloom.quantizers import VQ
from modaloom.quantizers.nearest import nearest

N = 16_384
SIZES = ((64, 1024), (64, 8192), (256, 1024))
"""(D, K)."""
HUGE = 262_144
DTYPES = {"cpu": (torch.float32,), "cuda": (torch.float32, torch.bfloat16)}
"""Of the vectors, by device."""


def cases(device: torch.device) -> Iterator[Case]:
    """Milliseconds on one thread, megabytes beyond inputs and outputs. Raises `BadValue` without the peer."""
    peer = _peer()
    with one_thread():
        for dtype in DTYPES.get(device.type, (torch.float32,)):
            for D, K in SIZES:
                yield from _cases(peer, D, K, device, dtype)
        yield _huge(device)


def _peer() -> Any:
    try:
        from vector_quantize_pytorch import VectorQuantize
    except ImportError as error:
        raise BadValue("the benchmark needs its peer: pip install 'modaloom[peers]'") from error
    return VectorQuantize


def _cases(peer: Any, D: int, K: int, device: torch.device, dtype: torch.dtype) -> Iterator[Case]:
    z, e = _normal(N, D, seed=0).to(device, dtype), _normal(K, D, seed=1).to(device)
    name = f"N={N} D={D} K={K} {str(dtype).removeprefix('torch.')}"
    ours, theirs = _ours(e), _theirs(peer, e)
    own = _memory(lambda: ours(z), D, device)
    other = _memory(lambda: theirs(z[None]), D, device)
    if own is not None:
        yield Case(f"memory of a training forward, {name}", own, other, None, "MB beyond inputs and outputs")
    ours, theirs = _ours(e), _theirs(peer, e)
    agree = (ours.eval()(z).codes[..., 0] == theirs.eval()(z[None])[1][0]).float().mean()
    yield Case(f"codes equal to the peer's, {name}", float(agree), None, 1, "share")
    lookup = milliseconds(
        {
            "ours": lambda: nearest(z, e),
            "peer": lambda: theirs(z[None]),
            "limit": lambda: z @ e.T.to(dtype),
        },
        device,
    )
    yield Case(f"lookup, {name}", lookup["ours"], lookup["peer"], lookup["limit"], "ms")
    ours.train(), theirs.train()
    forward = milliseconds({"ours": lambda: ours(z), "peer": lambda: theirs(z[None])}, device)
    yield Case(f"training forward, {name}", forward["ours"], forward["peer"], lookup["limit"], "ms")


def _memory(call: Callable[[], object], D: int, device: torch.device) -> float | None:
    """Peak of the second call, without the vectors and codes that it returns."""
    call()
    peak = peak_megabytes(call, device)
    return None if peak is None else max(0.0, peak - (N * D * 4 + N * 8) / 1e6)


def _huge(device: torch.device) -> Case:
    """The whole memory of a training forward with a codebook of HUGE codes, codebook included."""

    def run() -> object:
        return _ours(_normal(HUGE, 64, seed=1).to(device))(_normal(1024, 64, seed=0).to(device))

    used = peak_megabytes(run, device)
    return Case(f"memory, N=1024 D=64 K={HUGE}", float("nan") if used is None else used, None, 1000, "MB")


def _ours(e: Tensor) -> VQ:
    vq = VQ(e.shape[1], len(e), dead=0).to(e.device)
    vq.codebook.vectors.copy_(e)
    vq.codebook.count.fill_(N / len(e))
    vq.codebook.started.fill_(True)
    return vq


def _theirs(peer: Any, e: Tensor) -> Any:
    vq = peer(dim=e.shape[1], codebook_size=len(e), decay=0.99, kmeans_init=False).to(e.device)
    vq._codebook.embed.data.copy_(e[None])
    vq._codebook.embed_avg.data.copy_(e[None])
    return vq


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
