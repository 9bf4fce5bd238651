"""Oracles Q6, Q7, Q9 for what stands around quantizers: dropout, groups, adaptive rate, maps, directions."""

import copy
import math

import pytest
import torch
from draws import normal, seeded
from torch import Tensor

from modaloom.core.distributed import SINGLE_PROCESS
from modaloom.core.errors import BadValue
from modaloom.quantizers import Adaptive, Grouped, Normalized, Projected, Quantizer, Residual, build


def learned(depth: int, dim: int = 4, size: int = 16, **options: object) -> Quantizer:
    quantizer = build("vq", dim, size, depth, **options)
    for step in range(4):
        quantizer(normal(200, dim, seed=step), generator=seeded(step))
    return quantizer


def prefixes(residual: Residual, codes: Tensor) -> Tensor:
    """(Q, N, D): what the first 1..Q codes decode to, summed from `vectors`."""
    return residual.vectors[torch.arange(residual.depth), codes].cumsum(-2).movedim(-2, 0)


def test_q7_dropout_keeps_every_depth_from_the_first_to_all() -> None:
    """Q7: probability p/Q for each of 1..Q, and 1 − p more for Q; the same within a sample."""
    residual, samples = dropping(4, 0.6), 20_000
    vectors, z = residual.vectors, normal(20, 4).repeat(samples // 20, 1)[:, None].expand(-1, 2, -1)
    out = residual(z, generator=seeded())
    sums = vectors[torch.arange(4), out.codes].cumsum(-2)
    depth = 1 + (sums - out.z_q.detach()[..., None, :]).square().sum(-1).argmin(-1)
    assert torch.equal(depth[:, 0], depth[:, 1])
    share = depth[:, 0].bincount(minlength=5) / samples
    torch.testing.assert_close(
        share, torch.tensor([0.0, 0.15, 0.15, 0.15, 0.55]), rtol=0, atol=4 * math.sqrt(0.25 / samples)
    )


def dropping(depth: int, dropout: float) -> Residual:
    """One that has learned without."""
    return Residual(list(learned(depth).stages), dropout=dropout)


def test_dropped_stages_neither_count_nor_learn_from_a_sample() -> None:
    """Each stage: bitwise what it makes of the rows that keep it, alone."""
    residual, z = dropping(3, 0.7), normal(60, 4, seed=9).requires_grad_()
    alone = copy.deepcopy(residual)
    kept = residual._kept(z, z.detach(), seeded(5), SINGLE_PROCESS)
    assert sorted(kept.unique().tolist()) == [1, 2, 3]
    out = residual(z, generator=seeded(5))
    rest, loss = z.detach().clone(), 0.0
    draws = seeded(5)
    alone._kept(z, z.detach(), draws, SINGLE_PROCESS)
    for q, stage in enumerate(alone.stages):
        whole = copy.deepcopy(stage).eval()(rest)
        loss = loss + stage(rest[kept > q], generator=draws).loss
        rest = rest - whole.z_q
    torch.testing.assert_close(out.loss, loss)
    for a, b in zip(residual.state_dict().values(), alone.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    (gradient,) = torch.autograd.grad(out.loss, z)
    assert gradient.abs().sum(1).gt(0).all()


def test_without_training_nothing_is_dropped() -> None:
    residual, z = dropping(3, 1.0).eval(), normal(100, 4)
    assert torch.equal(residual(z, generator=seeded()).z_q, learned(3).eval()(z).z_q)


def test_groups_are_their_quantizers_side_by_side() -> None:
    """Codes, vectors and losses of each on its slice; gradients into z are 2β(z − e)/N with the whole N."""
    parts = [learned(2, dim=4, commitment=0.3), learned(1, dim=6, commitment=0.3)]
    grouped, z = Grouped(parts).eval(), normal(30, 10, seed=9).requires_grad_()
    out = grouped(z)
    outs = [parts[0](z.detach()[:, :4]), parts[1](z.detach()[:, 4:])]
    assert torch.equal(out.codes, torch.cat([one.codes for one in outs], -1))
    assert torch.equal(out.z_q, torch.cat([one.z_q for one in outs], -1))
    assert torch.equal(out.z_q, grouped.decode(out.codes))
    assert not grouped.vectors[:2, :, 4:].any()
    assert not grouped.vectors[2, :, :4].any()
    (gradient,) = torch.autograd.grad(out.loss, z, retain_graph=True)
    torch.testing.assert_close(gradient[:, 4:], 2 * 0.3 * (z - out.z_q).detach()[:, 4:] / z.numel())
    (passed,) = torch.autograd.grad(out.z_q.sum(), z)
    assert torch.equal(passed, torch.ones_like(z))


def test_groups_must_fit() -> None:
    with pytest.raises(BadValue, match=r"sizes of the groups are \[8, 16\]; all must be the same"):
        Grouped([build("vq", 4, 8), build("vq", 4, 16)])
    with pytest.raises(BadValue, match="groups is 3; it must divide the width of the vectors, 4"):
        build("vq", 4, 8, groups=3)


@pytest.mark.parametrize("target", [1e-9, 0.05, 0.2, 10.0])
def test_a_position_takes_the_least_depth_that_reaches_the_target(target: float) -> None:
    """By trying all depths, in float64; the codes tell the depth and decode to the prefix."""
    adaptive = Adaptive(learned(4), target, decay=0.5)
    adaptive.variance.fill_(3.0)
    z = normal(400, 4, seed=9)
    out = adaptive.eval()(z)
    plain = adaptive.residual(z)
    sums = prefixes(adaptive.residual, plain.codes).double()
    error = (sums - z.double()).square().sum(-1)
    for i in range(len(z)):
        fits = [n for n in range(1, 5) if error[n - 1, i] <= target * 3]
        depth = fits[0] if fits else 4
        assert out.codes[i].tolist() == plain.codes[i, :depth].tolist() + [16] * (4 - depth)
        torch.testing.assert_close(out.z_q[i].double(), sums[depth - 1, i])
    assert torch.equal(out.z_q.view(torch.int32), adaptive.decode(out.codes).view(torch.int32))
    assert out.stats["depth"] == (out.codes < 16).sum(-1).float().mean()
    used = {1e-9: {4}, 10.0: {1}}.get(target, {1, 2, 3, 4})
    assert set((out.codes < 16).sum(-1).tolist()) == used


def test_its_yardstick_is_the_running_squared_distance_from_the_mean() -> None:
    """The first batch sets it, the others move it by 1 − decay after they were measured by it."""
    adaptive = Adaptive(build("vq", 3, 8, 2), 0.3, decay=0.8).train()
    expected = None
    for step in range(4):
        z = normal(50, 3, seed=step) * (step + 1) + 7
        now = float((z - z.mean(0)).square().sum(1).mean())
        before, expected = expected, now if expected is None else 0.8 * expected + 0.2 * now
        frozen = copy.deepcopy(adaptive).eval()
        out = adaptive(z, generator=seeded(step))
        assert adaptive.variance.item() == pytest.approx(expected, rel=1e-5)
        if before is not None:
            assert torch.equal(frozen(z).codes, out.codes)


def test_its_stages_learn_as_they_do_without_it() -> None:
    plain, adaptive = build("vq", 4, 16, 3), build("vq", 4, 16, 3, adaptive_distortion=0.2)
    for step in range(5):
        losses = [q(normal(90, 4, seed=step), generator=seeded(step)).loss for q in (plain, adaptive)]
        assert losses[0] == losses[1]
    assert torch.equal(plain.vectors, adaptive.residual.vectors)
    assert torch.equal(adaptive.vectors[:, :16], plain.vectors)
    assert not adaptive.vectors[:, 16].any()


def test_at_equal_bits_it_loses_less_than_a_fixed_depth() -> None:
    """At least 10% less, the entropy of the depth counted, where a fifth of the vectors is ten times as long.

    The fixed depths' distortions are joined by lines: what two depths reach by sharing time.
    """

    def draw(n: int, seed: int) -> Tensor:
        return normal(n, 4, seed=seed) * torch.where(torch.arange(n) % 5 == 0, 1.0, 0.1)[:, None]

    residual = build("vq", 4, 16, 5)
    for step in range(60):
        residual(draw(500, step), generator=seeded(step))
    z, fixed = draw(4000, 999), [1.0]
    for so_far in prefixes(residual.eval(), residual(z).codes):
        fixed.append(float((so_far - z).square().mean() / z.var(0, unbiased=False).mean()))
    adaptive = Adaptive(residual, 0.05, decay=0.5)
    adaptive.variance.copy_((z - z.mean(0)).square().sum(1).mean())
    out = adaptive.eval()(z)
    depths = (out.codes < 16).sum(-1).bincount() / len(z)
    bits = float(
        (depths * torch.arange(len(depths))).sum() * 4 + torch.special.entr(depths).sum() / math.log(2)
    )
    n, between = int(bits // 4), bits / 4 % 1
    shared = (1 - between) * fixed[n] + between * fixed[n + 1]
    assert out.stats["distortion"] < 0.9 * shared


def test_dropout_and_adaptive_rate_exclude_each_other() -> None:
    with pytest.raises(BadValue, match=r"dropout is 0\.5; with adaptive_distortion it must be 0"):
        build("vq", 4, 8, 2, dropout=0.5, adaptive_distortion=0.1)


def test_the_maps_learn_by_their_closed_form() -> None:
    """Into U: 2β(z_q − z)eᵀ/N, into its bias the sum; z_q = Ue + b with e the inner code of Vz + a."""
    projected = Projected(learned(1, dim=2), 5, commitment=0.4).eval()
    with torch.no_grad():
        for n, parameter in enumerate(projected.parameters()):
            parameter.copy_(normal(*parameter.shape, seed=n))
    z = normal(40, 5, seed=9)
    out = projected(z)
    narrow = z @ projected.down.weight.T + projected.down.bias
    inner = projected.inner(narrow)
    expected = inner.z_q @ projected.up.weight.T + projected.up.bias
    torch.testing.assert_close(out.z_q, expected)
    assert torch.equal(out.codes, inner.codes)
    torch.testing.assert_close(out.loss, inner.loss + 0.4 * (z - expected).square().mean())
    out.loss.backward()
    error = 2 * 0.4 * (expected - z).detach() / z.numel()
    torch.testing.assert_close(projected.up.weight.grad, error.T @ inner.z_q.detach())
    torch.testing.assert_close(projected.up.bias.grad, error.sum(0))


@pytest.mark.parametrize("narrow", [2, 5, 7])
def test_the_maps_start_as_a_projection_and_its_inverse(narrow: int) -> None:
    projected = Projected(build("vq", narrow, 4), 5, commitment=1.0)
    there_and_back = projected.up.weight @ projected.down.weight
    torch.testing.assert_close(there_and_back @ there_and_back, there_and_back, rtol=0, atol=1e-5)
    assert torch.linalg.matrix_rank(there_and_back) == min(narrow, 5)


def test_a_residual_of_projected_quantizers_sums_their_biases() -> None:
    projected = Projected(learned(2, dim=3), 5, commitment=1.0)
    with torch.no_grad():
        projected.up.bias.copy_(normal(5))
    codes = torch.randint(0, 16, (30, 2), generator=seeded())
    summed = projected.vectors[torch.arange(2), codes].sum(-2)
    torch.testing.assert_close(projected.decode(codes), summed)


def test_directions_alone_are_quantized_and_the_gain_is_that_of_least_squares() -> None:
    """After the first batch: no other gain has a smaller error; codes do not depend on length."""
    normalized, z = Normalized(build("vq", 3, 8, codebook="sphere"), decay=0.9), 5 * normal(300, 3)
    out = normalized(z, generator=seeded())
    direction = out.z_q / normalized.eval().gain
    best = min(float((z - g * 0.01 * direction).square().sum()) for g in range(1, 2000))
    first = Normalized(build("vq", 3, 8, codebook="sphere"), decay=1.0)
    z_q = first(z, generator=seeded()).z_q
    assert float((z - z_q).square().sum()) == pytest.approx(best, rel=1e-5)
    lengths = torch.rand(300, 1, generator=seeded(4)) + 0.1
    assert torch.equal(normalized(z).codes, normalized(lengths * z).codes)


def test_the_gain_follows_its_moving_averages() -> None:
    normalized, sums = (
        Normalized(build("vq", 3, 8, codebook="sphere", dead_code_threshold=0), decay=0.7),
        None,
    )
    for step in range(5):
        z = (step + 1) * normal(100, 3, seed=step)
        gain = float(normalized.gain)
        q = normalized(z, generator=seeded(step)).z_q
        gain = gain if step else float(normalized.gain)
        q = (q / gain).double()
        now = torch.stack([(z * q).sum(), q.square().sum()])
        sums = now if sums is None else 0.7 * sums + 0.3 * now
        assert float(normalized.gain) == pytest.approx(float(sums[0] / sums[1]), rel=1e-4)


def test_the_gradient_passes_through_the_direction() -> None:
    """∂z_q/∂z = g(I − ẑẑᵀ)/‖z‖: nothing along z."""
    normalized, z = Normalized(learned(1), decay=0.9).eval(), normal(20, 4, seed=9).requires_grad_()
    weight = normal(20, 4, seed=8)
    (normalized(z).z_q * weight).sum().backward()
    length = z.detach().norm(dim=1, keepdim=True)
    ray = z.detach() / length
    expected = normalized.gain * (weight - (weight * ray).sum(1, keepdim=True) * ray) / length
    torch.testing.assert_close(z.grad, expected, rtol=1e-4, atol=1e-6)
