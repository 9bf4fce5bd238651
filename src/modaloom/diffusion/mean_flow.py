"""Mean flow: a network of the average velocity, which crosses any stretch of time in one step.

Geng et al. 2025 (arXiv 2505.13447). The process is rectified flow: z_t = (1 − t)·x + t·ε, v = ε − x. Between
r ≤ t the average velocity of the flow is u(z, r, t) = 1/(t − r) ∫ᵣᵗ v dτ, so that z_r = z_t − (t − r)·u, and
differentiating (t − r)·u by t along the flow gives the identity that it is trained by (§4.1),

    u = v − (t − r)·du/dt,   du/dt = ∂u/∂z · v + ∂u/∂t.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from modaloom.core.errors import check_range
from modaloom.diffusion.level import expand_like
from modaloom.diffusion.prediction import SignalDenoiser

AverageVelocity = Callable[[Tensor, Tensor, Tensor], Tensor]
"""State (B, ...), r (B,), t (B,) with r ≤ t → the average velocity (B, ...) between r and t."""

EPS = 1e-3
"""Added to the squared error whose inverse weighs it."""


def average_target(
    average: AverageVelocity, state: Tensor, velocity: Tensor, r: Tensor, t: Tensor
) -> tuple[Tensor, Tensor]:
    """u(state, r, t) and what it should be, v − (t − r)·du/dt, (B, ...) both; the second has no gradient.

    `velocity` (B, ...) is that of the sample's own line, whose mean over the lines through a state is the
    flow's. du/dt is a forward-mode derivative, one more forward pass and no second backward one, along the
    flow as the network has it, u(state, t, t): along the sample's own line it has the same mean and far more
    spread (Geng et al. 2025, arXiv 2512.02012).
    """
    # Forward mode knows neither autocast's copies of weights nor the fused kernels of attention.
    with torch.autocast(state.device.type, enabled=False), sdpa_kernel(SDPBackend.MATH):
        with torch.no_grad():
            flow = average(state, t, t)
        along = (flow, torch.zeros_like(r), torch.ones_like(t))
        output, slope, *_ = torch.func.jvp(average, (state, r, t), along)
    return output, (velocity - expand_like(t - r, state) * slope).detach()


def mean_flow_error(
    average: AverageVelocity, data: Tensor, r: Tensor, t: Tensor, *, generator: torch.Generator
) -> Tensor:
    """(B,): squared error of the average velocity for one draw of ε, the mean over values (algorithm 1).

    `data` (B, ...) has about unit variance.
    """
    noise = torch.randn(data.shape, dtype=data.dtype, device=generator.device, generator=generator).to(data)
    state = torch.lerp(data, noise, expand_like(t, data))
    output, target = average_target(average, state, noise - data, r, t)
    return (output - target).square().flatten(1).mean(1)


def adaptive_weighting(error: Tensor, *, power: float = 0.5) -> Tensor:
    """Errors (B,) divided by their own size to the `power`: few outweigh the rest (§4.1, where it is 1)."""
    check_range("power", power, 0)
    return error / (error.detach() + EPS) ** power


def sample_intervals(
    t: Tensor, other: Tensor, *, share: float = 0.25, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """r ≤ t (B,) for training, from two draws of times; r = t but for a `share` of the samples.

    With r = t the target is plain flow's, v.
    """
    check_range("share", share, 0, 1)
    late = torch.maximum(t, other)
    apart = torch.rand(t.shape, device=generator.device, generator=generator).to(t.device) < share
    return torch.where(apart, torch.minimum(t, other), late), late


def instantaneous_denoiser(average: AverageVelocity) -> SignalDenoiser:
    """The network as a denoiser: with r = t its output is the flow's velocity, so D = z − t·u(z, t, t)."""

    def mean(state: Tensor, t: Tensor) -> Tensor:
        return state - expand_like(t, state) * average(state, t, t)

    return mean
