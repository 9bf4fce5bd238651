"""What every quantizer of the table keeps, alone and in a residual."""

import copy
import io

import pytest
import torch
from torch import Tensor

from modaloom.core.types import Quantized
from modaloom.quantizers import QUANTIZERS, Quantizer, Residual, build

DIM, SIZE = 6, 20
OPTIONS = {"vq": [{"codebook": "ema"}, {"codebook": "gradient"}]}
CASES = [
    pytest.param(name, depth, options, id=f"{name}-{depth}-{'-'.join(map(str, options.values()))}")
    for name in QUANTIZERS
    for options in OPTIONS.get(name, [{}])
    for depth in (1, 3)
]
every_quantizer = pytest.mark.parametrize(("name", "depth", "options"), CASES)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=seeded(seed))


def trained(name: str, depth: int, options: dict, steps: int = 3) -> Quantizer:
    quantizer = build(name, DIM, SIZE, depth, **options)
    for step in range(steps):
        quantizer(normal(200, DIM, seed=step), generator=seeded(step))
    return quantizer


def snapshot(quantizer: Quantizer) -> dict[str, Tensor]:
    return copy.deepcopy(quantizer.state_dict())


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@every_quantizer
def test_codes_and_their_vectors(name: str, depth: int, options: dict) -> None:
    quantizer = trained(name, depth, options).eval()
    out: Quantized = quantizer(normal(4, 5, 3, DIM))
    assert quantizer.depth == depth
    assert quantizer.codebook_sizes == (SIZE,) * depth
    assert quantizer.vectors.shape == (depth, SIZE, DIM)
    assert not quantizer.vectors.requires_grad
    assert out.codes.shape == (4, 5, 3, depth)
    assert out.codes.dtype == torch.int64
    assert out.codes.min() >= 0
    assert out.codes.max() < SIZE
    summed = quantizer.vectors[torch.arange(depth), out.codes].sum(-2)
    torch.testing.assert_close(quantizer.decode(out.codes), summed)
    assert torch.equal(out.z_q, quantizer.decode(out.codes))


@every_quantizer
def test_eval_mode_changes_nothing(name: str, depth: int, options: dict) -> None:
    quantizer = trained(name, depth, options).eval()
    before = snapshot(quantizer)
    quantizer(1e3 + normal(50, DIM), generator=seeded())
    assert same(before, quantizer.state_dict())


@every_quantizer
def test_training_learns_the_data(name: str, depth: int, options: dict) -> None:
    """60 batches: every code is in use, and less of the variance is lost than a random codebook would."""
    quantizer = build(name, DIM, SIZE, depth, **options)
    optimizer = torch.optim.SGD([*quantizer.parameters(), torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    for step in range(60):
        out = quantizer(normal(300, DIM, seed=step), generator=seeded(step))
        optimizer.zero_grad()
        if out.loss.requires_grad:
            out.loss.backward()
        optimizer.step()
    stats = quantizer.eval()(normal(1000, DIM, seed=99)).stats
    assert stats["distortion"] < {1: 0.6, 3: 0.3}[depth]
    assert stats["usage"] == 1
    assert stats["perplexity"] > SIZE / 2
    assert not any(stat.requires_grad for stat in stats.values())


@every_quantizer
def test_saved_and_loaded_it_goes_on_to_the_same_bits(name: str, depth: int, options: dict) -> None:
    straight, file = trained(name, depth, options), io.BytesIO()
    torch.save(straight.state_dict(), file)
    file.seek(0)
    resumed = build(name, DIM, SIZE, depth, **options)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    for step in range(3, 6):
        for quantizer in (straight, resumed):
            quantizer(normal(30, DIM, seed=step), generator=seeded(step))
    assert same(straight.state_dict(), resumed.state_dict())


@every_quantizer
def test_only_the_passed_generator_is_random(name: str, depth: int, options: dict) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = trained(name, depth, options).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert same(first, trained(name, depth, options).state_dict())


@every_quantizer
def test_non_contiguous_input(name: str, depth: int, options: dict) -> None:
    quantizer = trained(name, depth, options).eval()
    image = normal(2, DIM, 4, 5).movedim(1, -1)
    assert not image.is_contiguous()
    assert torch.equal(quantizer(image).codes, quantizer(image.contiguous()).codes)


@every_quantizer
@pytest.mark.parametrize("unstarted", [False, True])
def test_nothing_to_count_is_no_loss_and_no_learning(
    name: str, depth: int, options: dict, unstarted: bool
) -> None:
    quantizer = trained(name, depth, options, steps=0 if unstarted else 3)
    before = snapshot(quantizer)
    empty, masked = torch.zeros(2, 0, DIM), normal(2, 7, DIM)
    for z, mask in ((empty, None), (masked, torch.zeros(2, 7, dtype=torch.bool))):
        z.requires_grad_()
        out = quantizer(z, mask=mask, generator=seeded())
        out.loss.backward()
        assert out.loss == 0
        assert not z.grad.any()
        assert all(stat.isfinite() for stat in out.stats.values())
    assert same(before, quantizer.state_dict())


@every_quantizer
@pytest.mark.parametrize("n", [1, 3])
def test_fewer_vectors_than_codes(name: str, depth: int, options: dict, n: int) -> None:
    quantizer = build(name, DIM, SIZE, depth, **options)
    z = normal(n, DIM)
    for step in range(20):
        out = quantizer(z, generator=seeded(step))
    assert out.loss.isfinite()
    assert quantizer.vectors.isfinite().all()
    torch.testing.assert_close(out.z_q.detach(), z, rtol=0, atol=1e-3)


@every_quantizer
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("unstarted", [False, True])
def test_what_is_not_finite_spoils_the_loss_and_not_the_codebook(
    name: str, depth: int, options: dict, bad: float, unstarted: bool
) -> None:
    quantizer = trained(name, depth, options, steps=0 if unstarted else 3)
    before = snapshot(quantizer)
    z = normal(30, DIM)
    z[3, 2] = bad
    out = quantizer(z, generator=seeded())
    assert not out.loss.isfinite()
    assert same(before, quantizer.state_dict())


@every_quantizer
def test_residual_wraps_it_again(name: str, depth: int, options: dict) -> None:
    """Residual of residuals is the residual of all their stages."""
    inner = [trained(name, depth, options).eval() for _ in range(2)]
    both, z = Residual(inner).eval(), normal(40, DIM)
    out, first = both(z), inner[0](z)
    second = inner[1](z - first.z_q)
    assert torch.equal(out.codes, torch.cat([first.codes, second.codes], -1))
    assert torch.equal(out.z_q, both.decode(out.codes))
    assert both.codebook_sizes == (SIZE,) * (2 * depth)
    assert out.loss == first.loss + second.loss


@every_quantizer
@pytest.mark.parametrize("code", [-1, SIZE])
def test_a_code_out_of_range_is_refused(name: str, depth: int, options: dict, code: int) -> None:
    with pytest.raises(IndexError):
        trained(name, depth, options).decode(torch.full((2, depth), code))
