"""The transformer over a canvas."""

from dataclasses import replace

import torch
from torch import Tensor

from modaloom.core.types import MASK, Canvas, CodeShape, Field
from modaloom.networks.transformer import CanvasTransformer

SHAPES = {"a": CodeShape((2, 2), 2, 5), "b.c": CodeShape((3,), 1, 4)}


def network(*, separate: bool = False) -> CanvasTransformer:
    torch.manual_seed(0)
    made = CanvasTransformer(
        SHAPES,
        {"a": "a", "b.c": "t"},
        {"a": torch.randn(2, 5, 3)},
        width=16,
        depth=2,
        heads=2,
        separate=separate,
    )
    for p in made.parameters():
        torch.nn.init.normal_(p, std=0.3)
    return made.eval()


def field(state: Tensor, *, known: bool = False) -> Field:
    full = torch.full_like(state, known, dtype=torch.bool)
    return Field(state, full, torch.ones(state.shape[:2], dtype=torch.bool), torch.zeros(len(state)))


def canvas() -> Canvas:
    generator = torch.Generator().manual_seed(1)
    return {
        "a": field(torch.randint(MASK, 5, (2, 4, 2), generator=generator)),
        "b.c": field(torch.randint(MASK, 4, (2, 3, 1), generator=generator)),
    }


def test_the_order_of_streams_does_not_matter() -> None:
    net, fields = network(), canvas()
    one, two = net(fields), net(dict(reversed(fields.items())))
    for name, shape in SHAPES.items():
        assert one[name].shape == (2, shape.positions, shape.depth, shape.size)
        torch.testing.assert_close(one[name], two[name], atol=1e-5, rtol=0)


def test_what_a_sample_lacks_does_not_reach_it() -> None:
    net, fields = network(), canvas()
    lacking = replace(fields["b.c"], valid=torch.tensor([[False] * 3, [True] * 3]))
    both, alone = net(fields | {"b.c": lacking}), net({"a": fields["a"]})
    torch.testing.assert_close(both["a"][0], alone["a"][0], atol=1e-5, rtol=0)
    assert not torch.allclose(both["a"][1], alone["a"][1], atol=1e-3)


def test_separate_given_streams_do_not_see_wanted_ones() -> None:
    fields = canvas()
    fields["a"] = field(fields["a"].state.clamp_min(0), known=True)
    other = fields | {"b.c": field(1 - fields["b.c"].state)}
    apart, joint = network(separate=True), network()
    torch.testing.assert_close(apart(fields)["a"], apart(other)["a"], atol=1e-6, rtol=0)
    assert not torch.allclose(joint(fields)["a"], joint(other)["a"], atol=1e-3)


def test_a_mask_looks_like_no_code() -> None:
    table = network()._table("a")
    states = torch.tensor([[[MASK, MASK]], *([[code, MASK]] for code in range(5))])
    embedded = table(states).squeeze(1)
    assert torch.pdist(embedded).min() > 1e-3
