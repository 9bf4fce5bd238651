"""Mean flow: a network of the average velocity, which crosses any time interval in one step.

Geng et al. 2025 (arXiv 2505.13447). The process is rectified flow: z_t = (1 − t)·x + t·ε, v = ε − x. Between
r ≤ t the average velocity of the flow is u(z, r, t) = 1/(t − r) ∫ᵣᵗ v dτ, so that z_r = z_t − (t − r)·u, and
differentiating (t − r)·u by t along the flow gives the mean-flow identity (§4.1),

    u = v − (t − r)·du/dt,   du/dt = ∂u/∂z · v + ∂u/∂t.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from modaloom.core.errors import check_range
from modaloom.diffusion.level import expand_like

AverageVelocity = Callable[[Tensor, Tensor, Tensor], Tensor]
"""State (B, ...), r (B,), t (B,) with r ≤ t → the average velocity (B, ...) between r and t."""

EPS = 1e-3
"""Added to the squared error in the adaptive weight."""


def average_target(
    average: AverageVelocity, state: Tensor, velocity: Tensor, r: Tensor, t: Tensor
) -> tuple[Tensor, Tensor]:
    """The network's u(state, r, t) and its regression target v − (t − r)·du/dt.

    du/dt is a Jacobian-vector product (forward mode: one more forward pass) along the network's own
    instantaneous velocity u(state, t, t). Along the conditional velocity ε − x it would have the same mean
    and far more variance (Geng et al. 2025, arXiv 2512.02012).

    Args:
        average: the network.
        state: float (B, ...), z_t.
        velocity: float (B, ...), the conditional velocity v = ε − x.
        r: float (B,), the earlier time, in [0, t].
        t: float (B,) in [0, 1].

    Returns:
        Output and target, (B, ...) each; the target is detached.
    """
    # Forward mode supports neither autocast's cached weights nor fused attention kernels.
    with torch.autocast(state.device.type, enabled=False), sdpa_kernel(SDPBackend.MATH):
        with torch.no_grad():
            flow = average(state, t, t)
        tangents = (flow, torch.zeros_like(r), torch.ones_like(t))
        output, dudt, *_ = torch.func.jvp(average, (state, r, t), tangents)
    return output, (velocity - expand_like(t - r, state) * dudt).detach()


def mean_flow_error(average: AverageVelocity, data: Tensor, noise: Tensor, r: Tensor, t: Tensor) -> Tensor:
    """Squared error of the average velocity for one sample of ε (algorithm 1).

    Args:
        average: the network.
        data: float (B, ...), clean, of about unit variance.
        noise: ε (B, ...), standard normal.
        r: float (B,), the earlier time, in [0, t].
        t: float (B,) in [0, 1].

    Returns:
        float (B,), the mean over the values of each sample.
    """
    state = torch.lerp(data, noise, expand_like(t, data))
    output, target = average_target(average, state, noise - data, r, t)
    return (output - target).square().flatten(1).mean(1)


def adaptive_weighting(error: Tensor, *, power: float = 0.5) -> Tensor:
    """Adaptive loss weighting: errors (B,) divided by their detached values to the `power` ≥ 0 (§4.1)."""
    check_range("power", power, 0)
    return error / (error.detach() + EPS) ** power


def sample_intervals(
    t: Tensor, other: Tensor, *, share: float = 0.25, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Time intervals r ≤ t for training; r = t, where the target is v, except for a `share` of the samples.

    Args:
        t: float (B,), sampled times in [0, 1].
        other: float (B,), sampled times in [0, 1].
        share: probability of r < t, in [0, 1].
        generator: chooses the samples with r < t.

    Returns:
        r and t, float (B,) each.

    Raises:
        BadValue: for a share out of range.
    """
    check_range("share", share, 0, 1)
    end = torch.maximum(t, other)
    has_interval = torch.rand(t.shape, device=generator.device, generator=generator).to(t.device) < share
    return torch.where(has_interval, torch.minimum(t, other), end), end
