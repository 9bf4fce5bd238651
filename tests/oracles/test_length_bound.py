"""A variable stream of exact conditionals: the bound is −log p, and samples have the law of the joint."""

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from modaloom.core.rng import generator
from modaloom.core.types import MASK, Canvas, CodeShape, Logits
from modaloom.diffusion.noise import Noise
from modaloom.loom.config import CodeSamplingConfig, LoomConfig
from modaloom.loom.loom import Loom

LONGEST, K = 3, 2
SHAPES = {"x": CodeShape((LONGEST,), 1, K, variable=True), "c": CodeShape((1,), 1, 2)}
TEXTS = [text for n in range(LONGEST + 1) for text in itertools.product(range(K), repeat=n)]
ROWS = torch.tensor([[*text, *[K] * (LONGEST - len(text))] for text in TEXTS])
N = 20_000


class Exact(nn.Module):
    """The conditionals of a random joint of a text of 0 to 3 codes and a condition, by enumeration."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.device = nn.Parameter(torch.zeros(()))
        draw = torch.Generator().manual_seed(seed)
        p = torch.rand(2, len(TEXTS), generator=draw, dtype=torch.float64)
        self.p = p / p.sum()
        """float64 (2, number of texts)."""

    def forward(self, canvas: Canvas, augmented: object = None) -> Logits:
        weight = self.p.clone()[None].expand(len(canvas["x:length"].t), *self.p.shape)
        if "c" in canvas:
            weight = weight * (canvas["c"].state == torch.arange(2)).transpose(1, 2)
        weight = weight.sum(1)
        lengths, known = (ROWS != K).sum(1), canvas["x:length"].state[:, 0]
        weight = weight * ((known == MASK) | (known == lengths))
        if "x" in canvas:
            x = canvas["x"]
            seen = (x.state[..., 0] != MASK) & x.valid
            fits = (x.state[:, None, :, 0] == ROWS) | ~seen[:, None]
            weight = weight * fits.all(-1)
        at_length = torch.stack([weight[:, lengths == n].sum(1) for n in range(LONGEST + 1)], -1)
        at_code = torch.stack([weight @ (code == ROWS).double() for code in range(K)], -1)
        logits = {"x:length": at_length.log()[:, None, None], "x": at_code.log()[:, :, None]}
        return logits | {name: torch.zeros(*f.state.shape, 2) for name, f in canvas.items() if name == "c"}


def exact() -> Loom:
    net = Loom(SHAPES, {n: n for n in SHAPES}, {}, LoomConfig(width=8, num_layers=1, num_heads=2))
    net.network = Exact()  # type: ignore[assignment]
    return net.eval()


def truth(row: int, condition: int) -> dict[str, Tensor]:
    return {
        "x": ROWS[row].expand(N, LONGEST)[..., None],
        "c": torch.full((N, 1, 1), condition),
    }


@pytest.mark.parametrize("given", [True, False])
def test_the_bound_is_the_likelihood(given: bool) -> None:
    """−log p(length) + the bound of the codes given it, at every text: their exponentials sum to 1."""
    net, total = exact(), 0.0
    for row in range(len(TEXTS)):
        nats = net.nelbo(truth(row, 1), ["x"], ["c"] * given, generator=generator(row), points=2)["x"]
        p = net.network.p[1] / net.network.p[1].sum() if given else net.network.p.sum(0)
        error = 4 * float(nats.std()) / math.sqrt(N) + 1e-5
        assert abs(float(nats.mean()) + math.log(p[row])) < error
        total += math.exp(-float(nats.mean()))
    assert total == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("sampler", ["top_probability", "first_hitting"])
def test_samples_have_the_law_of_the_joint(sampler: str) -> None:
    """Lengths first, then the codes at that length, rows of all lengths in one batch."""
    net = exact()
    canvas = net.canvas({"c": truth(0, 0)["c"]}, ["x"], N)
    noise = Noise([generator(0)], each=N)
    drawn = net.sample(canvas, CodeSamplingConfig(sampler, steps=LONGEST), noise)["x"][..., 0]
    counts = (drawn[:, None] == ROWS).all(-1).sum(0)
    assert counts.sum() == N
    p = net.network.p[0] / net.network.p[0].sum()
    assert ((counts / N - p).abs() < 4.5 * (p * (1 - p) / N).sqrt()).all()
