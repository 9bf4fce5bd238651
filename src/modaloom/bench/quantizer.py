"""Nearest-code search and training forward, compared with vector-quantize-pytorch and the matrix product.

The peer is `VectorQuantize` with an EMA codebook (0.99), Euclidean distance, no projection and no k-means.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from modaloom.bench.case import BenchmarkResult
from modaloom.bench.clock import milliseconds, one_thread, peak_megabytes
from modaloom.core.errors import BadValue
from modaloom.quantizers import VQ, QuantizerConfig
from modaloom.quantizers.codebooks import build_codebook
from modaloom.quantizers.nearest import nearest

N = 16_384
SIZES = ((64, 1024), (64, 8192), (256, 1024))
"""(D, K)."""
HUGE = 262_144
MEMORY = "MB beyond inputs and outputs"
DTYPES = {"cpu": (torch.float32,), "cuda": (torch.float32, torch.bfloat16)}
"""Device → dtypes of the vectors."""


def cases(device: torch.device) -> Iterator[BenchmarkResult]:
    """Milliseconds on one thread, megabytes beyond inputs and outputs. Raises `BadValue` without the peer."""
    peer = _peer()
    with one_thread():
        for dtype in DTYPES.get(device.type, (torch.float32,)):
            for D, K in SIZES:
                yield from _speeds(peer, D, K, device, dtype)
                own = _memory(_ours, D, K, device, dtype)
                other = _memory(partial(_theirs, peer), D, K, device, dtype)
                yield BenchmarkResult(
                    f"memory of a training forward, {_name(D, K, dtype)}", own, other, None, MEMORY
                )
        yield _huge(device)


def _peer() -> Any:
    try:
        from vector_quantize_pytorch import VectorQuantize
    except ImportError as error:
        raise BadValue("the benchmark needs its peer: pip install 'modaloom[peers]'") from error
    return VectorQuantize


def _speeds(peer: Any, D: int, K: int, device: torch.device, dtype: torch.dtype) -> Iterator[BenchmarkResult]:
    name, (z, e) = _name(D, K, dtype), _inputs(D, K, device, dtype)
    ours, theirs = _ours(e), _theirs(peer, e)
    agree = (ours.eval()(z).codes[..., 0] == theirs.eval()(z[None])[1][0]).float().mean()
    yield BenchmarkResult(f"codes equal to the peer's, {name}", float(agree), None, 1, "share")
    lookup = milliseconds(
        {
            "ours": lambda: nearest(z, e),
            "peer": lambda: theirs(z[None]),
            "limit": lambda: z @ e.T.to(dtype),
        },
        device,
    )
    yield BenchmarkResult(f"lookup, {name}", lookup["ours"], lookup["peer"], lookup["limit"], "ms")
    ours.train(), theirs.train()
    forward = milliseconds({"ours": lambda: ours(z), "peer": lambda: theirs(z[None])}, device)
    yield BenchmarkResult(
        f"training forward, {name}", forward["ours"], forward["peer"], lookup["limit"], "ms"
    )


def _memory(make: Callable[[Tensor], Any], D: int, K: int, device: torch.device, dtype: torch.dtype) -> float:
    """Peak memory in MB of a second training forward, without the returned vectors and codes."""
    z, e = _inputs(D, K, device, dtype)
    quantizer = make(e)
    quantizer(z[None])
    peak = peak_megabytes(lambda: quantizer(z[None]), device)
    return peak - (N * D * 4 + N * 8) / 1e6


def _inputs(D: int, K: int, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    return _normal(N, D, seed=0).to(device, dtype), _normal(K, D, seed=1).to(device)


def _name(D: int, K: int, dtype: torch.dtype) -> str:
    return f"N={N} D={D} K={K} {str(dtype).removeprefix('torch.')}"


def _huge(device: torch.device) -> BenchmarkResult:
    """Total memory of a training forward with a codebook of HUGE codes, codebook included."""

    def run() -> object:
        return _ours(_normal(HUGE, 64, seed=1).to(device))(_normal(1024, 64, seed=0).to(device))

    return BenchmarkResult(f"memory, N=1024 D=64 K={HUGE}", peak_megabytes(run, device), None, 1000, "MB")


def _ours(e: Tensor) -> VQ:
    vq = VQ(build_codebook(e.shape[1], len(e), QuantizerConfig(dead_code_threshold=0.0))).to(e.device)
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
