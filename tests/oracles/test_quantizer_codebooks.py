"""Codebooks of unit vectors, of one linear map, and growing ones, against closed forms."""

import math

import pytest
import torch
from draws import normal, seeded

from modaloom.core.errors import BadValue
from modaloom.quantizers import VQ, GrowthConfig, build
from modaloom.quantizers.growing import MAX_SPLIT_COUNT, SPLIT_STEP, GrowingCodebook
from modaloom.quantizers.kmeans import kmeans
from modaloom.quantizers.unit import unit


def begun(vq: VQ, count: float = 1.0) -> VQ:
    """As if it had been learning for long."""
    vq.codebook.count.fill_(count)
    vq.codebook.started.fill_(True)
    return vq


def test_a_zero_vector_has_a_place_on_the_sphere() -> None:
    x = torch.tensor([[0.0, 0.0], [3.0, 4.0], [1e30, 0.0], [torch.nan, 1.0]])
    assert torch.equal(unit(x)[:2], torch.tensor([[1.0, 0.0], [0.6, 0.8]]))
    assert unit(x)[3].isnan().all()


def test_codes_of_the_sphere_are_chosen_by_cosine_and_have_length_one() -> None:
    vq = build("vq", 5, 12, codebook="sphere", decay=0.7)
    for step in range(20):
        vq(torch.cat([3 * normal(60, 5, seed=step), torch.zeros(2, 5)]), generator=seeded(step))
        torch.testing.assert_close(vq.vectors[0].norm(dim=1), torch.ones(12))
    z = normal(300, 5, seed=99)
    cosine = torch.nn.functional.cosine_similarity(z[:, None], vq.vectors[0][None], dim=-1)
    assert torch.equal(vq.eval()(z).codes[:, 0], cosine.argmax(1))
    assert torch.equal(vq(0.01 * z).codes, vq(50 * z).codes)


def test_spherical_k_means_ends_at_the_mean_directions() -> None:
    centers = unit(normal(6, 4, seed=3))
    z = (centers[:, None] + 0.05 * normal(6, 30, 4)).reshape(-1, 4) * torch.rand(180, 1).add(0.5)
    found, counts = kmeans(z, 6, surface=unit, generator=seeded(2))
    codes = (unit(z) @ found.T).argmax(1)
    assert codes.bincount(minlength=6).tolist() == counts.tolist()
    for k in range(6):
        torch.testing.assert_close(found[k], unit(unit(z[codes == k]).sum(0)))


def test_a_code_of_the_sphere_moves_by_its_closed_form() -> None:
    """e ← (e + (1−γ)Σ(ẑ − e)/c) on the sphere, c having been updated, in float64."""
    vq = begun(build("vq", 3, 4, codebook="sphere", decay=0.9, dead_code_threshold=0), count=5.0)
    vq.codebook.vectors.copy_(unit(normal(4, 3)))
    before, z = vq.vectors[0].double(), 4 * normal(40, 3, seed=1)
    codes = vq(z).codes[:, 0]
    for k in range(4):
        members = unit(z[codes == k].double())
        count = 0.9 * 5 + 0.1 * len(members)
        moved = before[k] + 0.1 * (members - before[k]).sum(0) / count
        torch.testing.assert_close(vq.vectors[0, k].double(), moved / moved.norm())


def test_sim_starts_as_a_sample_of_the_data_s_normal_distribution() -> None:
    """Its codes' mean and covariance are the batch's but for the sampling of 20,000 codes."""
    mix = torch.tensor([[2.0, 0.0, 0.0], [1.0, 0.5, 0.0], [0.0, 0.3, 0.1]])
    z = normal(5000, 3) @ mix + torch.tensor([5.0, -1.0, 0.0])
    vq = build("vq", 3, 20_000, codebook="sim")
    assert not vq.vectors.any()
    vq.codebook.start(z, seeded())
    torch.testing.assert_close(vq.vectors[0].mean(0), z.mean(0), rtol=0, atol=0.06)
    torch.testing.assert_close(vq.vectors[0].T.cov(), z.T.cov(), rtol=0.05, atol=0.02)


def test_sim_learns_its_map_alone_by_the_closed_form() -> None:
    """∂/∂W ‖sg[z] − (cW + b)‖² = Cᵀ·2(e − z)/N, into b the sum; the random vectors are fixed."""
    vq, z = build("vq", 4, 10, codebook="sim", commitment=0.5), normal(50, 4).requires_grad_()
    vq(z.detach(), generator=seeded())
    base = vq.codebook.base.clone()
    out = vq(z, generator=seeded(1))
    out.loss.backward()
    error = 2 * (vq.vectors[0, out.codes[:, 0]] - z.detach()) / z.numel()
    torch.testing.assert_close(vq.codebook.weight.grad, base[out.codes[:, 0]].T @ error)
    torch.testing.assert_close(vq.codebook.bias.grad, error.sum(0))
    torch.testing.assert_close(z.grad, -0.5 * error)
    assert torch.equal(vq.codebook.base, base)
    assert {name for name, _ in vq.named_parameters()} == {"codebook.weight", "codebook.bias"}


def test_no_code_of_sim_is_left_behind() -> None:
    """Data that moves away: one map takes all codes along, without revival."""
    vq = build("vq", 2, 50, codebook="sim")
    optimizer = torch.optim.Adam(vq.parameters(), lr=0.1)
    for step in range(300):
        out = vq(normal(200, 2, seed=step) + min(10.0, step / 20), generator=seeded(step))
        optimizer.zero_grad()
        out.loss.backward()
        optimizer.step()
    assert vq.eval()(normal(2000, 2, seed=999) + 10).stats["usage"] > 0.9


def growing(dim: int, size: int, *, decay: float = 0.9, **growth: float) -> VQ:
    return build("vq", dim, size, growth=GrowthConfig(**growth), decay=decay)


def test_the_number_of_codes_follows_the_schedule() -> None:
    """start · 2^(batches/every), rounded down; codes beyond are never chosen and stay zero."""
    vq = growing(3, 50, initial_codes=4, doubling_steps=5)
    for batch in range(1, 25):
        used = vq.codebook.used
        out = vq(normal(100, 3, seed=batch), generator=seeded(batch))
        assert out.codes.max() < used
        expected = min(50, int(4 * 2 ** (batch / 5)))
        assert vq.codebook.used == expected
        assert not vq.vectors[0, expected:].any()
        assert not vq.codebook.count[expected:].any()
        assert vq.codebook_sizes == (50,)
    assert vq.codebook.used == 50


def test_it_stops_at_the_target() -> None:
    """Once the running squared error is at most the target's share of the running variance; not before."""
    vq, error, variance, unmet = (
        growing(2, 256, initial_codes=2, doubling_steps=30, target_distortion=0.1),
        0.0,
        0.0,
        0,
    )
    for batch in range(240):
        z, used = normal(500, 2, seed=batch), vq.codebook.used
        out = vq(z, generator=seeded(batch))
        now = float((z - z.mean(0)).square().sum())
        error = 0.9 * error + 0.1 * float(out.stats["distortion"]) * now
        variance = 0.9 * variance + 0.1 * now
        unmet += error > 0.1 * variance
        scheduled = int(2 * 2 ** ((batch + 1) / 30))
        assert vq.codebook.used == (scheduled if error > 0.1 * variance else used)
    assert 50 < unmet < 150
    assert 0.05 < vq.eval()(normal(5000, 2, seed=999)).stats["distortion"] < 0.1


def primed(balance: float) -> VQ:
    """Two codes in use: the first chosen thrice as often, the second with ten times the squared error."""
    vq = begun(growing(2, 4, initial_codes=2, doubling_steps=1, error_weight=balance))
    book = vq.codebook
    book.vectors[:2] = torch.tensor([[0.0, 0.0], [10.0, 0.0]])
    book.count[:] = torch.tensor([30.0, 10.0, 0.0, 0.0])
    book.error[:2] = torch.tensor([4.0, 40.0])
    book.spread[:2] = torch.tensor([[4.0, 0.0], [0.0, 22.5]])
    return vq


@pytest.mark.parametrize(("balance", "splits"), [(1.0, 1), (0.0, 0), (0.25, 0), (0.9, 1)])
def test_the_worthiest_code_splits_in_two_along_its_spread(balance: float, splits: int) -> None:
    """e ± SPLIT_STEP·σv with σ² = ‖s‖/count, each with half of the error and, up to a limit, of the count."""
    book = primed(balance).codebook
    count, error, spread = book.count.clone(), book.error.clone(), book.spread.clone()
    middle = book.vectors[splits].clone()
    book._split(1, seeded())
    deviation = math.sqrt(spread[splits].norm() / count[splits])
    step = SPLIT_STEP * deviation * spread[splits] / spread[splits].norm()
    torch.testing.assert_close(book.vectors[splits], middle + step)
    torch.testing.assert_close(book.vectors[2], middle - step)
    shared = min(float(count[splits]) / 2, MAX_SPLIT_COUNT * 40 / 3)
    assert book.count[[splits, 2]].tolist() == pytest.approx([shared] * 2)
    assert book.count[1 - splits] == count[1 - splits]
    assert book.error[[splits, 2]].tolist() == [float(error[splits]) / 2] * 2
    assert book.used == 3


def test_the_spread_is_the_first_principal_axis_and_its_variance() -> None:
    """After 200 batches ‖s‖ is the largest eigenvalue of the members' covariance, times their number."""
    turn = torch.linalg.qr(normal(4, 4, seed=5)).Q
    scale = torch.tensor([2.0, 1.0, 0.7, 0.1])
    vq = growing(4, 2, decay=0.95, initial_codes=1, doubling_steps=10_000)
    for batch in range(200):
        vq((normal(400, 4, seed=batch) * scale) @ turn, generator=seeded(batch))
    spread = vq.codebook.spread[0]
    assert (spread / spread.norm() @ turn[0]).abs() > 0.999
    assert spread.norm().item() == pytest.approx(400 * 4, rel=0.05)
    assert vq.codebook.error[0].item() == pytest.approx(400 * float(scale.square().sum()), rel=0.05)


def test_a_dead_code_is_measured_against_the_codes_in_use() -> None:
    """Revival: with 2 of 1,000 codes in use, N/K is N/2. And the unused ones are not revived."""
    vq = growing(2, 1000, initial_codes=2, doubling_steps=10_000, decay=0.5)
    vq(normal(64, 2), generator=seeded())
    vq.codebook.vectors[1] = 1e3
    vq.codebook.count[1] = 0.05 * 64 / 2
    vq(normal(64, 2, seed=1), generator=seeded(1))
    assert vq.vectors[0, 1].norm() < 10
    assert not vq.vectors[0, 2:].any()


@pytest.mark.parametrize("balance", [0.0, 0.25])
def test_grown_it_is_as_good_as_a_codebook_of_all_codes(balance: float) -> None:
    """256 codes for 30 normals: at most 2% more distortion on fresh vectors, and at least the perplexity."""
    centers, width = 2 * normal(30, 8, seed=7), torch.rand(30, 1, generator=seeded(8)) + 0.2

    def batch(seed: int, n: int = 512) -> torch.Tensor:
        which = torch.randint(0, 30, (n,), generator=seeded(seed))
        return centers[which] + width[which] * normal(n, 8, seed=seed)

    fixed = build("vq", 8, 256)
    grown = build(
        "vq", 8, 256, growth=GrowthConfig(initial_codes=16, doubling_steps=50, error_weight=balance)
    )
    for step in range(500):
        for vq in (fixed, grown):
            vq(batch(step), generator=seeded(step))
    a, b = (vq.eval()(batch(10**6, 5000)).stats for vq in (fixed, grown))
    assert b["distortion"] <= 1.02 * a["distortion"]
    assert b["perplexity"] >= a["perplexity"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"codebook": "sim", "growth": GrowthConfig(initial_codes=2)}, "SimCodebook cannot grow"),
        (
            {"growth": GrowthConfig(initial_codes=9)},
            "growth.initial_codes is 9; it must be at least 1 and at most 8",
        ),
    ],
)
def test_what_cannot_grow_is_refused(options: dict, says: str) -> None:
    with pytest.raises(BadValue, match=says):
        build("vq", 4, 8, **options)
    with pytest.raises(BadValue, match=r"growth\.error_weight is 2"):
        GrowthConfig(error_weight=2)


def test_a_gradient_codebook_grows_too() -> None:
    vq = build("vq", 2, 8, codebook="gradient", growth=GrowthConfig(initial_codes=1, doubling_steps=2))
    assert isinstance(vq.codebook, GrowingCodebook)
    optimizer = torch.optim.SGD(vq.parameters(), lr=1.0)
    for step in range(40):
        optimizer.zero_grad()
        vq(normal(200, 2, seed=step), generator=seeded(step)).loss.backward()
        optimizer.step()
    assert vq.eval()(normal(1000, 2, seed=99)).stats["distortion"] < 0.3
