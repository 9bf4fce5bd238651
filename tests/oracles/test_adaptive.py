"""Adaptive rate against the enumeration of all codes, and at its edges."""

import copy
import itertools

import pytest
import torch
from draws import normal, seeded
from torch import Tensor

from modaloom.quantizers import Adaptive, Residual, build

SIZE, DEPTH = 3, 3


def learned(target: float = 0.2, depth: int = DEPTH, size: int = SIZE, **options: object) -> Adaptive:
    adaptive = build("vq", 2, size, depth, adaptive_distortion=target, **options)
    for step in range(4):
        adaptive(normal(90, 2, seed=step), generator=seeded(step))
    return adaptive.eval()


def depths(codes: Tensor, size: int = SIZE) -> Tensor:
    """How many of the codes (..., Q) are not nothing."""
    return (codes < size).sum(-1)


def test_any_codes_decode_to_the_sum_of_their_vectors_where_nothing_is_zero() -> None:
    """All (K + 1)^Q of them: those too that it never gives, such as something after nothing."""
    adaptive = learned()
    every = torch.tensor(list(itertools.product(range(SIZE + 1), repeat=DEPTH)))
    plain = torch.stack([stage.codebook.vectors for stage in adaptive.residual.stages]).double()
    for codes, found in zip(every.tolist(), adaptive.decode(every), strict=True):
        rows = [plain[q, code] for q, code in enumerate(codes) if code < SIZE]
        torch.testing.assert_close(found.double(), sum(rows, torch.zeros(2).double()))
    summed = adaptive.vectors[torch.arange(DEPTH), every].sum(-2)
    torch.testing.assert_close(adaptive.decode(every), summed)
    assert adaptive.codebook_sizes == (SIZE + 1,) * DEPTH


def test_it_takes_the_least_depth_even_where_more_would_lose_more() -> None:
    """The first stage meets the target, the second does not; an error that equals the target meets it."""
    adaptive = learned(target=0.25, depth=2, size=2)
    first, second = (stage.codebook.vectors for stage in adaptive.residual.stages)
    first.copy_(torch.tensor([[0.0, 0.0], [8.0, 0.0]]))
    second.copy_(torch.tensor([[5.0, 0.0], [7.0, 0.0]]))
    adaptive.variance.fill_(4.0)
    z = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.001], [8.5, 0.5], [3.5, 0.0]])
    assert adaptive(z).codes.tolist() == [[0, 2], [0, 2], [0, 0], [1, 2], [0, 0]]


def test_a_smaller_target_takes_no_less_and_loses_no_more() -> None:
    adaptive, z, last = learned(size=8, depth=5), normal(500, 2, seed=9), None
    for adaptive.target_distortion in (3.0, 0.3, 0.1, 0.03, 0.01, 1e-6):
        out = adaptive(z)
        depth = depths(out.codes, 8)
        error = (out.z_q - z).square().sum(1)
        met = error <= adaptive.target_distortion * adaptive.variance
        assert (met | (depth == 5)).all()
        if last is not None:
            assert (depth >= last[0]).all()
            assert out.stats["depth"] > last[0].float().mean()
            assert out.stats["distortion"] < last[1]
        last = depth, out.stats["distortion"]


def test_the_yardstick_follows_the_data_and_a_batch_is_measured_by_the_one_before() -> None:
    """In closed form: Σ of the batches' variances with weights (1 − γ)γⁿ, the first one's being the rest."""
    adaptive = build("vq", 2, 8, 4, adaptive_distortion=0.1, decay=0.6)
    batches = [(step + 1) * normal(50, 2, seed=step) + 7 for step in range(4)]
    for step, z in enumerate(batches):
        frozen = copy.deepcopy(adaptive).eval()
        out = adaptive(z, generator=seeded(step))
        if step:
            assert torch.equal(out.codes, frozen(z).codes)
    variances = [float(z.double().var(0, correction=0).sum()) for z in batches]
    weights = [0.6**3, 0.4 * 0.6**2, 0.4 * 0.6, 0.4]
    expected = sum(weight * variance for weight, variance in zip(weights, variances))
    assert adaptive.variance.item() == pytest.approx(expected, rel=1e-5)


def test_what_the_mask_leaves_out_is_in_no_figure_and_no_yardstick() -> None:
    masked, plain = learned().train(), learned().train()
    mask = torch.rand(30, generator=seeded()) < 0.5
    z = torch.where(mask[:, None], normal(30, 2, seed=9), 100.0)
    a, b = masked(z, mask=mask, generator=seeded()), plain(z[mask], generator=seeded())
    assert torch.equal(masked.variance, plain.variance)
    assert torch.equal(a.codes[mask], b.codes)
    assert dict(a.stats) == dict(b.stats)
    assert (depths(a.codes[~mask]) == DEPTH).all()


@pytest.mark.parametrize("shape", [(0, 2), (4, 0, 2)])
def test_an_empty_batch_has_no_depth_and_no_loss(shape: tuple[int, ...]) -> None:
    adaptive = learned().train()
    before = copy.deepcopy(adaptive.state_dict())
    out = adaptive(torch.zeros(shape), generator=seeded())
    assert out.codes.shape == (*shape[:-1], DEPTH)
    assert out.loss == out.stats["depth"] == 0
    for name, value in adaptive.state_dict().items():
        assert torch.equal(value, before[name])


def test_before_it_has_learned_every_position_takes_all() -> None:
    adaptive = build("vq", 2, SIZE, DEPTH, adaptive_distortion=100.0).eval()
    assert (depths(adaptive(normal(20, 2)).codes) == DEPTH).all()
    adaptive.train()(normal(20, 2), generator=seeded())
    assert (depths(adaptive.eval()(normal(20, 2)).codes) == 1).all()


def test_the_gradient_is_that_of_a_residual_of_the_same_stages() -> None:
    """Straight through, and β of every stage: whether a position keeps it or not."""
    adaptive, z, weight = learned(), normal(40, 2, seed=9).requires_grad_(), normal(40, 2, seed=8)
    out = adaptive(z)
    assert 1 < out.stats["depth"] < DEPTH
    (passed,) = torch.autograd.grad((out.z_q * weight).sum(), z)
    assert torch.equal(passed, weight)
    (ours,) = torch.autograd.grad(out.loss, z)
    rest, expected = z.detach().double(), torch.zeros(40, 2).double()
    for stage in adaptive.residual.stages:
        vectors = stage.codebook.vectors.double()
        rest = rest - vectors[torch.cdist(rest, vectors).argmin(1)]
        expected += 2 * rest / z.numel()
    torch.testing.assert_close(ours.double(), expected)


def test_stages_that_are_residuals_themselves_are_taken_whole() -> None:
    stages = [build("vq", 2, SIZE, 2) for _ in range(2)]
    adaptive = Adaptive(Residual(stages), 0.1, decay=0.5)
    for step in range(3):
        adaptive(normal(90, 2, seed=step), generator=seeded(step))
    out = adaptive.eval()(normal(200, 2, seed=9))
    assert set(depths(out.codes).tolist()) == {2, 4}
    assert torch.equal(out.z_q, adaptive.decode(out.codes))
    assert out.stats["depth"] == (depths(out.codes) / 2).mean()
