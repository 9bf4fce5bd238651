"""Oracles Q1-Q6, Q8, Q9, Q11: the quantizers' mathematics against closed forms."""

import copy

import pytest
import torch
from torch import Tensor

from modaloom.core.types import Quantized
from modaloom.quantizers import VQ, Quantizer, Residual, build

KINDS = ("ema", "gradient")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=seeded(seed))


def started(vectors: Tensor, count: float = 1.0, **options: object) -> VQ:
    """A VQ in training mode with these vectors, as if it had been learning for long."""
    vq = build("vq", vectors.shape[1], len(vectors), **options)
    with torch.no_grad():
        vq.codebook.vectors.copy_(vectors)
    vq.codebook.count.fill_(count)
    vq.codebook.started.fill_(True)
    return vq


def bits(x: Tensor) -> Tensor:
    assert x.dtype == torch.float32
    return x.detach().contiguous().view(torch.int32)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beta", [0.0, 0.25, 1.5])
def test_q1_gradients_of_the_loss(kind: str, beta: float) -> None:
    """Q1: 2β(z−e)/N into the encoder, 2(e−z)/N into a gradient codebook, nothing into an EMA one."""
    vq, z = started(normal(7, 5), codebook=kind, commitment=beta), normal(40, 5, seed=1).requires_grad_()
    out = vq.eval()(z)
    out.loss.backward()
    e = vq.vectors[0, out.codes[:, 0]]
    torch.testing.assert_close(z.grad, 2 * beta * (z.detach() - e) / z.numel())
    pulled = torch.zeros(7, 5).index_add_(0, out.codes[:, 0], 2 * (e - z.detach()) / z.numel())
    if kind == "gradient":
        torch.testing.assert_close(vq.codebook.vectors.grad, pulled)
    else:
        assert not list(vq.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_q1_reconstruction_passes_straight_to_the_encoder_and_not_to_the_codebook(kind: str) -> None:
    vq, z, weight = (
        started(normal(7, 5), codebook=kind),
        normal(40, 5, seed=1).requires_grad_(),
        normal(40, 5),
    )
    (vq(z).z_q * weight).sum().backward()
    assert torch.equal(z.grad, weight)
    assert all(p.grad is None for p in vq.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_q2_a_revived_code_sits_at_a_vector_of_the_batch_and_stays(kind: str) -> None:
    """Q2: one dead code, one step: it is a sampled vector; 50 steps that do not hit it leave it there."""
    vq = started(normal(8, 4), count=8.0, codebook=kind)
    with torch.no_grad():
        vq.codebook.vectors[3] = 1e3
        vq.codebook.count[3] = 0
    z = normal(64, 4, seed=1)
    vq(z, generator=seeded())
    revived = vq.vectors[0, 3].clone()
    assert (z == revived).all(1).any()
    assert vq(z, generator=seeded()).codes.eq(3).any()
    held = vq.vectors[0, 3].clone()
    others = torch.cat([vq.vectors[0, :3], vq.vectors[0, 4:]]).repeat(9, 1)
    for _ in range(50):
        assert not vq(others, generator=seeded()).codes.eq(3).any()
    assert torch.equal(vq.vectors[0, 3], held)


def test_q2_a_hit_moves_a_revived_ema_code_by_its_closed_form() -> None:
    """Q2: the sums behind a revived code are its own: m = N/K · e, so one batch moves it by (1−γ)Σ(z−e)/c."""
    vq, z = started(torch.full((2, 3), 50.0), count=0.0, decay=0.9, max_restart_fraction=1.0), normal(20, 3)
    vq(z, generator=seeded())
    before, count = vq.vectors[0].double(), vq.codebook.count.double()
    assert count[1] == 10
    codes = vq(z, generator=seeded()).codes[:, 0]
    for k in range(2):
        hit = z[codes == k].double()
        expected = (0.9 * count[k] * before[k] + 0.1 * hit.sum(0)) / (0.9 * count[k] + 0.1 * len(hit))
        torch.testing.assert_close(vq.vectors[0, k].double(), expected)


def test_q3_the_same_batch_again_does_not_move_the_start() -> None:
    """Q3: after the k-means start each vector is the mean of its members with their number as its count."""
    centers = 20 * normal(6, 4, seed=2)
    z = (centers[:, None] + 0.1 * normal(6, 20, 4, seed=1)).reshape(-1, 4)
    vq = build("vq", 4, 6, decay=0.5)
    codes = vq(z, generator=seeded()).codes[:, 0]
    start = vq.vectors[0].clone()
    assert vq.codebook.count.tolist() == codes.bincount(minlength=6).tolist()
    for k in range(6):
        torch.testing.assert_close(start[k], z[codes == k].mean(0))
    for _ in range(20):
        assert torch.equal(vq(z, generator=seeded()).codes[:, 0], codes)
    torch.testing.assert_close(vq.vectors[0], start, rtol=0, atol=1e-5)


def test_q4_a_starved_code_stays_where_it_is_for_10000_steps() -> None:
    """Q4: bitwise, although its count falls to zero; and its first hit then brings it to what hit it."""
    vq = started(torch.tensor([[0.3, 0.7], [5.0, 5.0]]), dead_code_threshold=0)
    held, z = vq.vectors[0, 1].clone(), 0.1 * normal(2, 2)
    codes = vq(z).codes[:, 0]
    assert codes.tolist() == [0, 0]
    for _ in range(10_000):
        vq.codebook.update(z, codes, None)
    assert vq.codebook.count[1] < 1e-30
    assert torch.equal(vq.vectors[0, 1], held)
    vq(torch.tensor([[4.0, 4.5]]))
    torch.testing.assert_close(vq.vectors[0, 1], torch.tensor([4.0, 4.5]))


@pytest.mark.parametrize("kind", KINDS)
def test_q4_with_revival_a_starved_code_comes_back_to_the_data(kind: str) -> None:
    vq, z = started(torch.tensor([[0.0, 0.0], [500.0, 500.0]]), codebook=kind), normal(64, 2)
    for _ in range(300):
        vq(z, generator=seeded())
    assert vq.vectors.abs().max() < 5


def test_q4_the_average_equals_its_closed_form() -> None:
    """Q4: e = m/c with m, c the exponential moving sums of van den Oord et al. 2017, in float64."""
    vq, decay = started(normal(5, 3), count=2.0, decay=0.9, dead_code_threshold=0), 0.9
    count, total = vq.codebook.count.double(), 2 * vq.vectors[0].double()
    for step in range(100):
        z = normal(32, 3, seed=step) + step / 50
        codes = vq(z).codes[:, 0]
        one_hot = torch.nn.functional.one_hot(codes, 5).double()
        count = decay * count + (1 - decay) * one_hot.sum(0)
        total = decay * total + (1 - decay) * one_hot.T @ z.double()
    torch.testing.assert_close(vq.codebook.count.double(), count, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(vq.vectors[0].double(), total / count[:, None], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_q5_the_revived_share_is_bounded(kind: str) -> None:
    """Q5: K = 8 N, all dead: a step revives ⌈0.05 K⌉ codes, no more, and never more than N."""
    for n, expected in ((64, 26), (10, 10)):
        vq = started(100 + normal(512, 4), count=0.0, codebook=kind)
        before = vq.vectors[0].clone()
        codes = vq(normal(n, 4, seed=1), generator=seeded()).codes
        changed = (vq.vectors[0] != before).any(1)
        changed[codes[:, 0]] = False
        assert expected - len(codes.unique()) <= changed.sum() <= expected


def test_q5_the_threshold_scales_with_vectors_per_code() -> None:
    """Q5: K = 32 N and all codes in equal use, 1/32 of a hit per batch: none of them is dead."""
    vq = started(normal(512, 4), count=16 / 512)
    before = vq.vectors[0].clone()
    codes = vq(normal(16, 4, seed=1), generator=seeded()).codes
    unhit = torch.ones(512, dtype=torch.bool).index_fill_(0, codes[:, 0], False)
    assert torch.equal(vq.vectors[0, unhit], before[unhit])


@pytest.mark.parametrize("kind", KINDS)
def test_q6_every_stage_has_its_own_commitment_gradient(kind: str) -> None:
    """Q6: stage q gives the encoder 2β(r_q − e_q)/N, r_q = z − Σ_{p<q} e_p."""
    stages = [started(normal(6, 4, seed=q) / 2**q, codebook=kind, commitment=0.25) for q in range(3)]
    heard: list[Quantized] = []
    for stage in stages:
        stage.register_forward_hook(lambda *call: heard.append(call[2]))
    z = normal(30, 4, seed=9).requires_grad_()
    vectors = torch.stack([stage.vectors[0].clone() for stage in stages])
    out = Residual(stages).eval()(z)
    rest, sum_of_stages = z.detach().clone(), torch.zeros_like(z)
    for q, part in enumerate(heard):
        rest = rest - vectors[q, out.codes[:, q]]
        (gradient,) = torch.autograd.grad(part.loss, z, retain_graph=True)
        expected = 2 * 0.25 * rest / z.numel()
        assert expected.abs().max() > 1e-4
        torch.testing.assert_close(gradient, expected)
        sum_of_stages += expected
    out.loss.backward()
    torch.testing.assert_close(z.grad, sum_of_stages)


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_q8_training_and_eval_mode_give_the_same_codes(kind: str, depth: int) -> None:
    """Q8: even with decay 0, where an update before the lookup would change everything."""
    quantizer, z = build("vq", 4, 16, depth, codebook=kind, decay=0.0), normal(100, 4)
    quantizer(z, generator=seeded())
    frozen, z = copy.deepcopy(quantizer).eval(), normal(100, 4, seed=1)
    calm, learning = frozen(z), quantizer(z, generator=seeded())
    assert torch.equal(calm.codes, learning.codes)
    assert torch.equal(calm.z_q, learning.z_q)
    assert torch.equal(calm.loss, learning.loss)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("autocast", [False, True])
def test_q9_the_output_is_bitwise_what_the_codes_decode_to(
    dtype: torch.dtype, depth: int, autocast: bool
) -> None:
    quantizer = build("vq", 4, 16, depth)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        z = normal(200, 4).to(dtype).requires_grad_()
        before = quantizer.train()(z, generator=seeded())
        after = quantizer.eval()(z)
        assert torch.equal(bits(after.z_q), bits(quantizer.decode(after.codes)))
    after.z_q.sum().backward()
    assert z.grad.dtype == dtype
    assert torch.equal(z.grad, torch.ones_like(z))
    assert before.z_q.dtype == torch.float32


def test_q9_in_training_the_output_is_what_the_vectors_before_the_update_decode_to() -> None:
    quantizer, z = build("vq", 4, 16, 3, decay=0.5), normal(200, 4)
    quantizer(z, generator=seeded())
    before = copy.deepcopy(quantizer)
    out = quantizer(normal(200, 4, seed=1), generator=seeded())
    assert torch.equal(bits(out.z_q), bits(before.decode(out.codes)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("filler", [0.0, 1e4, float("nan"), float("inf")])
def test_q11_padding_counts_nowhere(kind: str, depth: int, filler: float) -> None:
    """Q11: loss, stats, gradients and all codebook state are bitwise those of the batch without padding."""
    plain = build("vq", 4, 16, depth, codebook=kind)
    padded = copy.deepcopy(plain)
    mask = torch.rand(6, 40, generator=seeded()) < 0.6
    for step in range(4):
        z = normal(6, 40, 4, seed=step).masked_fill(~mask[..., None], filler).requires_grad_()
        kept = z.detach()[mask].requires_grad_()
        a: Quantized = padded(z, mask=mask, generator=seeded(step))
        b: Quantized = plain(kept, generator=seeded(step))
        assert torch.equal(a.codes[mask], b.codes)
        assert torch.equal(a.loss, b.loss)
        assert a.stats == b.stats
        a.loss.backward()
        b.loss.backward()
        assert torch.equal(z.grad[mask], kept.grad)
        assert not z.grad[~mask].any()
    assert same_state(plain, padded)


def same_state(a: Quantizer, b: Quantizer) -> bool:
    return all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )
