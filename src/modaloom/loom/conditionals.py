"""A Loom's own conditional probabilities: of single codes, and of whole values.

Shapes: n rows, L positions, Q depths, K codes, N values, R orders.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations

import torch
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.core.types import MASK
from modaloom.diffusion.noise import Noise
from modaloom.loom.fields import cut_field, partly_field, rows_of, wanted_field
from modaloom.loom.layout import length_field
from modaloom.loom.length_bound import length_nats
from modaloom.loom.loom import Loom

NUM_DRAWS = 16
"""Draws of the noise at t = 1 that are averaged over, where a process has any there."""
MAX_TOKENS = 2**15
"""Tokens of a batch."""


@torch.no_grad()
def marginals(
    loom: Loom, given: Mapping[str, Tensor], want: str, n: int, *, seed: int, known: Tensor | None = None
) -> Tensor:
    """p(code | what is given) of every code of a stream, each for itself: float64 (n, L, Q, K).

    At t = 1 this is what a denoiser returns.

    Args:
        loom: the model.
        given: stream → int64 codes (n, L, Q).
        want: the stream; with `known`, one of `given`.
        n: number of rows.
        seed: of noise.
        known: bool (n, L): positions of `want` that are given as well.
    """
    canvas = loom.canvas(given, [want], n)
    if known is not None:
        canvas[want] = partly_field(canvas[want], known.to(canvas[want].state.device))
    draws = NUM_DRAWS if loom.process.time_conditioned else 1  # else the prior is a mask
    total = torch.zeros((), dtype=torch.float64)
    for draw in range(draws):
        noise = Noise([generator(seed, "marginals", draw)], each=n)
        noisy = canvas | {want: loom.process.prior(canvas[want], noise=noise)}
        total = total + loom(noisy)[want].double().softmax(-1).cpu() / draws
    return total


@torch.no_grad()
def log_likelihoods(
    loom: Loom, given: Mapping[str, Tensor], want: str, codes: Tensor, *, orders: int, seed: int
) -> Tensor:
    """log p(value | what is given) of whole values, by masked diffusion: float64 (N,), in nats.

    Sampled one code at a time in a random order σ, a value has the probability
    E_σ Π_i p(x_σ(i) | x_σ(<i)) (ARDM, arXiv 2110.02037, eq. 2). The mean over any set of orders is a
    distribution over all values, too, and it is the same for all sets if the conditionals are exact.

    Args:
        loom: the model, of a process with masks.
        given: stream → int64 codes (1, L, Q).
        want: a stream of one depth, without shared codes.
        codes: int64 (N, L, 1), the values.
        orders: how many orders are averaged over; all that there are, if they are not more.
        seed: of the orders.
    """
    ranks = _ranks(codes.shape[1], orders, seed)
    tokens = sum(loom.shapes[name].num_positions for name in (*given, want)) * len(ranks)
    parts = torch.split(codes, max(1, MAX_TOKENS // tokens))
    return torch.cat([_log_likelihoods(loom, given, want, part, ranks) for part in parts])


def _ranks(length: int, orders: int, seed: int) -> Tensor:
    """int64 (R, L): when each position is unmasked."""
    if length < 13 and math.factorial(length) <= orders:
        return torch.tensor([*permutations(range(length))])
    noise = generator(seed, "orders")
    return torch.stack([torch.randperm(length, generator=noise) for _ in range(orders)])


def _log_likelihoods(
    loom: Loom, given: Mapping[str, Tensor], want: str, codes: Tensor, ranks: Tensor
) -> Tensor:
    shapes, n, num_orders = loom.layout.shapes, len(codes), len(ranks)
    shown = loom.canvas({name: one.expand(n, -1, -1) for name, one in given.items()}, (), n)
    fields = loom.layout.split({want: codes.to(next(loom.parameters()).device)})
    filled = loom.layout.filled(fields)
    own = {
        key: cut_field(wanted_field(state, filled[key], shapes[key]), shapes[key])
        for key, state in fields.items()
    }
    lengths = length_nats(loom, loom.process, shown | own, [want], generator(0, "lengths"))
    nats = lengths.get(length_field(want), torch.zeros(n)).double().cpu()
    each = torch.arange(n).repeat_interleave(num_orders)
    canvas = {key: rows_of(f, each) for key, f in (shown | own).items()}
    clean = replace(canvas[want], t=torch.ones_like(canvas[want].t))
    ranks = ranks.repeat(n, 1).to(clean.state.device)[:, : clean.state.shape[1]]
    found = torch.zeros(len(each), dtype=torch.float64)
    for rank in range(int(ranks.max()) + 1):
        noisy = replace(clean, state=clean.state.masked_fill((ranks >= rank)[..., None], MASK))
        log_p = loom(canvas | {want: noisy})[want].double().log_softmax(-1)
        told = log_p.gather(-1, clean.state[..., None])[..., 0, 0]
        found += (told * ((ranks == rank) & clean.valid)).sum(1).cpu()
    return found.view(n, num_orders).logsumexp(1) - math.log(num_orders) - nats
