"""A Loom's loss and its draws."""

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from modaloom.core.errors import BadValue
from modaloom.core.types import MASK, Canvas, CodeShape, Logits
from modaloom.diffusion.categorical import Noise
from modaloom.models.loom import Loom, LoomConfig, Sampling
from modaloom.models.model import Model, Stream

SHAPES = {"long": CodeShape((3, 3), 2, 8), "short": CodeShape((4,), 1, 8)}
B = 6


def gen(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def loom() -> Loom:
    torch.manual_seed(0)
    return Loom(SHAPES, {"long": "l", "short": "s"}, {}, LoomConfig(width=16, depth=1, heads=2)).eval()


@pytest.fixture
def codes() -> dict[str, torch.Tensor]:
    return {n: torch.randint(s.size, (B, s.positions, s.depth), generator=gen()) for n, s in SHAPES.items()}


def test_a_fresh_head_knows_nothing_and_pays_for_every_bit(
    loom: Loom, codes: dict[str, torch.Tensor]
) -> None:
    present = {name: torch.ones(B, dtype=torch.bool) for name in SHAPES}
    for seed in range(5):
        for name, bits in loom.loss(codes, present, gen(seed)).parts.items():
            # A sample whose few codes all stayed shown adds 0 to the mean.
            assert 0 <= bits <= math.log2(8) + 1e-5, name


def test_the_truth_costs_nothing(
    loom: Loom, codes: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def oracle(canvas: Canvas) -> Logits:
        return {name: 100 * torch.nn.functional.one_hot(codes[name], 8).float() for name in canvas}

    monkeypatch.setattr(loom, "forward", oracle)
    present = {name: torch.ones(B, dtype=torch.bool) for name in SHAPES}
    assert loom.loss(codes, present, gen()).total < 1e-6


def test_short_streams_are_drawn_first_and_given_codes_stay(
    loom: Loom, codes: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, ...]] = []

    def spy(canvas: Canvas) -> Logits:
        seen.append(tuple(canvas))
        return {n: torch.zeros(*f.state.shape, SHAPES[n].size) for n, f in canvas.items()}

    monkeypatch.setattr(loom, "forward", spy)
    options, noise = Sampling(steps=3), Noise([gen(i) for i in range(B)])
    drawn = loom.sample(loom.canvas({}, ["long", "short"], B), options, noise)
    assert seen[0] == ("short",)
    assert set(seen[-1]) == {"short", "long"}
    assert all((state != MASK).all() for state in drawn.values())
    kept = loom.sample(loom.canvas({"long": codes["long"]}, ["short"], B), options, noise)
    assert torch.equal(kept["long"], codes["long"])


@pytest.mark.parametrize(
    "bad", [{"steps": 0}, {"temperature": -1.0}, {"guidance": -1.0}, {"sampler": "nope"}]
)
def test_options_out_of_range(bad: dict[str, Any]) -> None:
    with pytest.raises(BadValue, match=next(iter(bad))):
        Sampling(**bad)


class Numbers:
    """A tokenizer whose values are lists of codes."""

    def __init__(self, shape: CodeShape) -> None:
        self.shape = shape

    def encode(self, values: Any) -> torch.Tensor:
        return torch.tensor(values)

    def decode(self, codes: torch.Tensor) -> list[Any]:
        return codes.tolist()


@pytest.fixture
def model(loom: Loom) -> Model:
    torch.manual_seed(1)
    for p in loom.parameters():
        torch.nn.init.normal_(p, std=0.5)
    streams = {n: Stream("m", Numbers(s), n) for n, s in SHAPES.items()}  # type: ignore[arg-type]
    return Model(streams, loom)


def test_a_sample_depends_on_its_name_alone(model: Model) -> None:
    many = model.generate({}, ["short", "long"], n=4, seed=3, names=["a", "b", "c", "d"])
    (one,) = model.generate({}, ["short", "long"], n=1, seed=3, names=["c"])
    assert one == many[2]
    assert many[0] != many[1]
    assert model.generate({}, ["short"], n=1, seed=4, names=["c"]) != [{"short": one["short"]}]


def test_calls_that_make_no_sense(model: Model) -> None:
    value = [[[0]] * 4]
    with pytest.raises(BadValue, match="did you mean 'short'"):
        model.generate({"shrt": value}, ["long"], n=1)
    with pytest.raises(BadValue, match="both given and wanted"):
        model.generate({"short": value}, ["short"], n=1)
    with pytest.raises(BadValue, match="nothing is wanted"):
        model.generate({"short": value}, [], n=1)
    given_only = SimpleNamespace(roles=SimpleNamespace(wanted=("long",)))
    model.loom.config = given_only  # type: ignore[assignment]
    with pytest.raises(BadValue, match="stream to want 'short'"):
        model.generate({}, ["short"], n=1)
