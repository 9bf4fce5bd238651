"""What every quantizer of the table keeps, alone and in a residual."""

import copy
import io
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.core.types import Quantized
from modaloom.quantizers import QUANTIZERS, GrowthConfig, Quantizer, Residual, build

DIM = 6


@dataclass(frozen=True)
class Case:
    """A quantizer of the table with some options, and what can be said of it."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    size: int = 20
    loses: tuple[float, float] = (0.6, 0.3)
    """Most relative distortion of normal data after training, at depth 1 and 3."""
    exact: bool = False
    """Whether few vectors are learned by heart, without an optimizer."""
    groups: int = 1
    extra: int = 0
    """Codes beyond `size`."""

    def build(self, depth: int) -> Quantizer:
        return build(self.name, DIM, self.size, depth, **self.options)


CASES = {
    "vq": Case("vq", exact=True),
    "gradient": Case("vq", {"codebook": "gradient"}, exact=True),
    "sphere": Case("vq", {"codebook": "sphere", "normalize": True}),
    "sim": Case("vq", {"codebook": "sim"}),
    "rotation": Case("vq", {"gradient_estimator": "rotation"}, exact=True),
    "narrow": Case("vq", {"codebook_dim": 3}, loses=(0.7, 0.35)),
    "cosine": Case("vq", {"codebook_dim": 3, "normalize": True, "codebook": "sphere"}, loses=(0.75, 0.45)),
    "growing": Case("vq", {"growth": GrowthConfig(initial_codes=4, doubling_steps=10)}),
    "growing gradient": Case(
        "vq", {"growth": GrowthConfig(initial_codes=4, doubling_steps=10), "codebook": "gradient"}
    ),
    "dropout": Case("vq", {"dropout": 0.5}),
    "groups": Case("vq", {"groups": 2}, loses=(0.35, 0.05), groups=2),
    "adaptive": Case("vq", {"adaptive_distortion": 0.25}, extra=1),
    "fsq": Case("fsq", loses=(0.8, 0.5)),
    "lfq": Case("lfq", size=16, loses=(0.65, 0.4)),
    "bsq": Case("bsq", size=16, loses=(0.65, 0.4)),
}
every_quantizer = pytest.mark.parametrize(
    ("case", "depth"),
    [pytest.param(case, depth, id=f"{name}-{depth}") for name, case in CASES.items() for depth in (1, 3)],
)


def test_every_entry_of_the_table_has_a_case() -> None:
    assert {case.name for case in CASES.values()} == {*QUANTIZERS}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=seeded(seed))


def trained(case: Case, depth: int, steps: int = 3) -> Quantizer:
    torch.manual_seed(0)  # linear maps are drawn from the global generator
    quantizer = case.build(depth)
    for step in range(steps):
        quantizer(normal(200, DIM, seed=step), generator=seeded(step))
    return quantizer


def snapshot(quantizer: Quantizer) -> dict[str, Tensor]:
    return copy.deepcopy(quantizer.state_dict())


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@every_quantizer
def test_codes_and_their_vectors(case: Case, depth: int) -> None:
    quantizer = trained(case, depth).eval()
    out: Quantized = quantizer(normal(4, 5, 3, DIM))
    depth, size = depth * case.groups, case.size + case.extra
    assert quantizer.depth == depth
    assert quantizer.codebook_sizes == (size,) * depth
    assert quantizer.vectors.shape == (depth, size, DIM)
    assert not quantizer.vectors.requires_grad
    assert out.codes.shape == (4, 5, 3, depth)
    assert out.codes.dtype == torch.int64
    assert out.codes.min() >= 0
    assert out.codes.max() < size
    summed = quantizer.vectors[torch.arange(depth), out.codes].sum(-2)
    torch.testing.assert_close(quantizer.decode(out.codes), summed)
    assert torch.equal(out.z_q, quantizer.decode(out.codes))


@every_quantizer
def test_eval_mode_changes_nothing(case: Case, depth: int) -> None:
    quantizer = trained(case, depth).eval()
    before = snapshot(quantizer)
    quantizer(1e3 + normal(50, DIM), generator=seeded())
    assert same(before, quantizer.state_dict())


@every_quantizer
def test_training_learns_the_data(case: Case, depth: int) -> None:
    """60 batches: every code is in use, and less of the variance is lost than a random codebook would."""
    quantizer = trained(case, depth, steps=0)
    optimizer = torch.optim.Adam([*quantizer.parameters(), torch.nn.Parameter(torch.zeros(1))], lr=0.02)
    for step in range(60):
        out = quantizer(normal(300, DIM, seed=step), generator=seeded(step))
        optimizer.zero_grad()
        if out.loss.requires_grad:
            out.loss.backward()
        optimizer.step()
    stats = quantizer.eval()(normal(1000, DIM, seed=99)).stats
    assert stats["distortion"] < case.loses[depth > 1]
    assert stats["usage"] > 0.95
    assert stats["perplexity"] > case.size / 2
    assert not any(stat.requires_grad for stat in stats.values())


@every_quantizer
def test_saved_and_loaded_it_goes_on_to_the_same_bits(case: Case, depth: int) -> None:
    straight, file = trained(case, depth), io.BytesIO()
    torch.save(straight.state_dict(), file)
    file.seek(0)
    resumed = case.build(depth)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    for step in range(3, 6):
        for quantizer in (straight, resumed):
            quantizer(normal(30, DIM, seed=step), generator=seeded(step))
    assert same(straight.state_dict(), resumed.state_dict())


@every_quantizer
def test_only_the_passed_generator_is_random(case: Case, depth: int) -> None:
    """After construction: two that began equal stay so, whatever the global generator's state."""
    one, states = trained(case, depth, steps=0), []
    for seed, quantizer in enumerate((copy.deepcopy(one), one)):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        for step in range(3):
            quantizer(normal(200, DIM, seed=step), generator=seeded(step))
        assert torch.equal(torch.get_rng_state(), before)
        states.append(quantizer.state_dict())
    assert same(*states)


@every_quantizer
def test_non_contiguous_input(case: Case, depth: int) -> None:
    quantizer = trained(case, depth).eval()
    image = normal(2, DIM, 4, 5).movedim(1, -1)
    assert not image.is_contiguous()
    assert torch.equal(quantizer(image).codes, quantizer(image.contiguous()).codes)


@every_quantizer
@pytest.mark.parametrize("unstarted", [False, True])
def test_nothing_to_count_is_no_loss_and_no_learning(case: Case, depth: int, unstarted: bool) -> None:
    quantizer = trained(case, depth, steps=0 if unstarted else 3)
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
def test_fewer_vectors_than_codes(case: Case, depth: int, n: int) -> None:
    quantizer, z = trained(case, depth, steps=0), normal(n, DIM)
    for step in range(20):
        out = quantizer(z, generator=seeded(step))
    assert out.loss.isfinite()
    assert quantizer.vectors.isfinite().all()
    if case.exact:
        torch.testing.assert_close(out.z_q.detach(), z, rtol=0, atol=1e-3)


@every_quantizer
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("unstarted", [False, True])
def test_what_is_not_finite_spoils_the_loss_and_not_the_codebook(
    case: Case, depth: int, bad: float, unstarted: bool
) -> None:
    quantizer = trained(case, depth, steps=0 if unstarted else 3)
    before = snapshot(quantizer)
    z = normal(30, DIM)
    z[3, 2] = bad
    out = quantizer(z, generator=seeded())
    assert not out.loss.isfinite()
    assert same(before, quantizer.state_dict())


@every_quantizer
def test_residual_wraps_it_again(case: Case, depth: int) -> None:
    """Residual of residuals is the residual of all their stages."""
    inner = [trained(case, depth).eval() for _ in range(2)]
    both, z = Residual(inner).eval(), normal(40, DIM)
    out, first = both(z), inner[0](z)
    second = inner[1](z - first.z_q)
    assert torch.equal(out.codes, torch.cat([first.codes, second.codes], -1))
    assert torch.equal(out.z_q, both.decode(out.codes))
    assert both.codebook_sizes == 2 * inner[0].codebook_sizes
    assert out.loss == first.loss + second.loss


@every_quantizer
def test_a_code_out_of_range_is_refused(case: Case, depth: int) -> None:
    quantizer = trained(case, depth)
    for code in (-1, quantizer.codebook_sizes[0]):
        with pytest.raises(IndexError):
            quantizer.decode(torch.full((2, quantizer.depth), code))


@every_quantizer
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("autocast", [False, True])
def test_every_dtype_gives_the_codes_of_its_values_in_float32(
    case: Case, depth: int, dtype: torch.dtype, autocast: bool
) -> None:
    quantizer, z = trained(case, depth).eval(), normal(50, DIM).to(dtype).requires_grad_()
    plain = quantizer(z.detach().float())
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        out = quantizer(z)
        assert torch.equal(out.z_q, quantizer.decode(out.codes))
    assert torch.equal(out.codes, plain.codes)
    assert torch.equal(out.z_q, plain.z_q)
    assert out.z_q.dtype == torch.float32
    (out.z_q.sum() + out.loss).backward()
    assert z.grad.dtype == dtype
    assert z.grad.isfinite().all()


@every_quantizer
@pytest.mark.parametrize("filler", [1e4, float("nan"), float("inf")])
def test_padding_counts_nowhere(case: Case, depth: int, filler: float) -> None:
    """The first batches, of which some vectors are left out, are those without these vectors."""
    padded = trained(case, depth, steps=0)
    plain = copy.deepcopy(padded)
    mask = torch.rand(40, generator=seeded()) < 0.6
    for step in range(3):
        z = normal(40, DIM, seed=step).masked_fill(~mask[:, None], filler).requires_grad_()
        kept = z.detach()[mask].requires_grad_()
        if case.options.get("dropout"):
            padded.eval(), plain.eval()  # which samples are dropped depends on their number
        a, b = padded(z, mask=mask, generator=seeded(step)), plain(kept, generator=seeded(step))
        assert torch.equal(a.codes[mask], b.codes)
        torch.testing.assert_close(a.loss, b.loss)
        torch.testing.assert_close(dict(a.stats), dict(b.stats))
        for out in (a, b):
            out.loss.backward()
        torch.testing.assert_close(z.grad[mask], kept.grad)
        assert not z.grad[~mask].any()
        for x, y in zip(padded.parameters(), plain.parameters()):
            torch.testing.assert_close(x.grad, y.grad)
    for x, y in zip(padded.state_dict().values(), plain.state_dict().values()):
        torch.testing.assert_close(x, y)


@every_quantizer
def test_training_mode_gives_the_codes_that_eval_mode_gave(case: Case, depth: int) -> None:
    learning = trained(case, depth)
    calm, z = copy.deepcopy(learning).eval(), normal(100, DIM, seed=9)
    a, b = calm(z), learning(z, generator=seeded())
    assert torch.equal(a.codes, b.codes)
    if not case.options.get("dropout"):
        assert torch.equal(a.z_q, b.z_q)


@every_quantizer
@pytest.mark.parametrize("shape", [(DIM + 1,), (4, 2 * DIM), ()])
def test_vectors_of_another_width_are_refused(case: Case, depth: int, shape: tuple[int, ...]) -> None:
    with pytest.raises(BadValue, match=f"the last axis must hold {DIM}"):
        trained(case, depth)(torch.zeros(shape))


@every_quantizer
def test_one_vector_without_further_axes(case: Case, depth: int) -> None:
    quantizer, z = trained(case, depth), normal(DIM)
    assert torch.equal(quantizer.eval()(z).codes, quantizer(z[None]).codes[0])
    assert quantizer.train()(z, generator=seeded()).loss.isfinite()


@pytest.mark.parametrize("name", QUANTIZERS)
@pytest.mark.parametrize("depth", [1, 2])
def test_one_channel_and_the_fewest_codes(name: str, depth: int) -> None:
    fewest = 1 if name == "vq" else 2
    quantizer = build(name, 1, fewest, depth)
    out = quantizer(normal(30, 1), generator=seeded())
    assert out.loss.isfinite()
    assert sorted(set(out.codes.flatten().tolist())) == list(range(fewest))
