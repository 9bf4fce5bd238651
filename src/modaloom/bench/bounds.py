"""Exact NELBO of the code processes: noisy states enumerated, times by quadrature."""

import itertools
import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from modaloom.bench.joint import Joint
from modaloom.core.types import MASK, Canvas, CodeDenoiser, Field
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.uniform import Uniform


def unknown(canvas: Canvas) -> Canvas:
    """The canvas with all codes unknown."""
    return {name: replace(field, known=torch.zeros_like(field.known)) for name, field in canvas.items()}


def masks(field: Field, alpha: float) -> list[tuple[float, Tensor]]:
    """Probability at α, and mask (L, Q), of every nested mask of a field with all codes unknown."""
    _, positions, depth = field.state.shape
    out = []
    for unmasked in itertools.product(range(depth + 1), repeat=positions):
        probability = math.prod(math.comb(depth, n) * alpha**n * (1 - alpha) ** (depth - n) for n in unmasked)
        out.append((probability, torch.arange(depth) >= torch.tensor(unmasked)[:, None]))
    return out


def masked_bound(denoise: CodeDenoiser, process: Masked, clean: Canvas) -> Tensor:
    """∫₀¹ E[loss] dt (N,) in float64: Gauss–Legendre over t, all masks enumerated."""
    total = torch.zeros(len(clean["x"].t), dtype=torch.float64)
    for node, weight in zip(*np.polynomial.legendre.leggauss(40), strict=True):
        t = torch.full((len(total),), (node + 1) / 2, dtype=torch.float64)
        alpha = float(process.schedule.alpha(t)[0])
        for choice in itertools.product(*[masks(field, alpha) for field in clean.values()]):
            probability = math.prod(p for p, _ in choice)
            noisy = {
                name: replace(field, state=field.state.masked_fill(mask, MASK), t=t)
                for (name, field), (_, mask) in zip(clean.items(), choice, strict=True)
            }
            logits = denoise(noisy)
            for name, field in noisy.items():
                total += weight / 2 * probability * process.loss(logits[name], clean[name].state, field)
    return total


def uniform_bound(denoise: CodeDenoiser, process: Uniform, joint: Joint) -> Tensor:
    """∫₀¹ E[loss] dt (N,) in float64: Gauss–Legendre over t, all noisy states of all rows enumerated.

    The integrand behaves like log t near 0; a substitution that is flat at both ends makes it smooth.
    """
    N = len(joint.table)
    rows, states = torch.arange(N).repeat_interleave(N), torch.arange(N).repeat(N)
    clean, noisy = unknown(joint.canvas(rows)), unknown(joint.canvas(states))
    same = (joint.table[rows] == joint.table[states]).sum(1)
    total = torch.zeros(N, dtype=torch.float64)
    for node, weight in zip(*np.polynomial.legendre.leggauss(40), strict=True):
        u = (node + 1) / 2
        t = torch.full((N * N,), u**3 * (10 - 15 * u + 6 * u * u), dtype=torch.float64)
        alpha = process.schedule.alpha(t)
        other = (1 - alpha) / joint.size
        probability = (alpha + other) ** same * other ** (joint.table.shape[1] - same)
        canvas = {name: replace(field, t=t) for name, field in noisy.items()}
        logits = denoise(canvas)
        nats = sum(process.loss(logits[name], clean[name].state, field) for name, field in canvas.items())
        total += weight / 2 * 30 * (u * (1 - u)) ** 2 * (probability * nats).view(N, N).sum(1)
    return total
