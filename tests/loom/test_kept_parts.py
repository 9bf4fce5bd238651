"""Streams that are given in part: what is kept stays, all else is generated, and what is kept to its end goes
on."""

import pytest
import torch
from test_variable_length import LONGEST, SHAPES, codes, loom, noise, seen_by

from modaloom.core.types import MASK
from modaloom.loom.config import CodeSamplingConfig

SAMPLERS = [
    ("masked", "maskgit"),
    ("masked", "coarse_to_fine"),
    ("masked", "remasking"),
    ("uniform", "ancestral"),
]


def whole(n):
    """Codes of the greatest length."""
    found = codes(n)
    found["text"] = found["text"].masked_fill(found["text"] == SHAPES["text"].padding, 1)
    return found


def places(*kept, n=LONGEST):
    return torch.isin(torch.arange(n), torch.tensor(kept))


def drawn(net, truth, name, kept, sampler="maskgit", **options):
    canvas = net.canvas({"image": truth["image"], name: truth[name]}, [name], 8, {name: kept})
    return net.sample(canvas, CodeSamplingConfig(sampler, steps=4, **options), noise(8))


@pytest.mark.parametrize("guidance", [1.0, 2.0])
@pytest.mark.parametrize(("process", "sampler"), SAMPLERS)
def test_a_gap_is_filled_and_nothing_else_is_touched(process, sampler, guidance):
    net, truth, kept = loom(process), whole(8), places(0, 1, 4, 5)
    found = drawn(net, truth, "text", kept, sampler, guidance=guidance)
    assert torch.equal(found["text"][:, kept], truth["text"][:, kept])
    assert torch.equal(found["image"], truth["image"])
    assert not torch.equal(found["text"][:, ~kept], truth["text"][:, ~kept])
    assert (found["text"] < SHAPES["text"].codebook_size).all(), "the length changed"


def test_a_gap_leaves_the_length_of_each_sample_as_it_is():
    net, truth, kept = loom(), codes(8), places(0)
    found = drawn(net, truth, "text", kept)
    padding = SHAPES["text"].padding
    assert torch.equal(found["text"] == padding, truth["text"] == padding)


def test_what_is_kept_to_its_end_goes_on():
    """The length is drawn, never shorter than what is kept."""
    net, truth = loom(), whole(8)
    truth["text"][:, 3:] = SHAPES["text"].padding
    found = drawn(net, truth, "text", places(0, 1, 2))["text"]
    assert torch.equal(found[:, :3], truth["text"][:, :3])
    lengths = (found != SHAPES["text"].padding).sum((1, 2))
    assert lengths.min() >= 3
    assert len(lengths.unique()) > 1


@pytest.mark.parametrize("process", ["masked", "uniform"])
def test_what_goes_on_has_shared_codes_of_its_own(process):
    """How many frames a clip ends before its last code, for one. What is drawn as long ends as it did."""
    net, truth = loom(process), codes(8)
    padding = SHAPES["sound"].padding
    truth["sound"][..., -1] = 3
    truth["sound"] = torch.where(truth["sound"] == padding, 0, truth["sound"])
    truth["sound"][:, 4:] = padding
    sampler = {"masked": "maskgit", "uniform": "ancestral"}[process]
    found = drawn(net, truth, "sound", places(0, 1, 2, 3, n=8), sampler)["sound"]
    assert torch.equal(found[:, :4, :-1], truth["sound"][:, :4, :-1])
    as_long = (found[:, 4:] == padding).all(2).all(1)
    assert as_long.any()
    assert (found[as_long, 0, -1] == 3).all()
    assert (found[~as_long, 0, -1] != 3).any()


def test_rows_of_several_positions_and_their_shared_codes_are_kept():
    net, truth = loom(), codes(8)
    truth["sound"] = torch.where(truth["sound"] == SHAPES["sound"].padding, 0, truth["sound"])
    truth["sound"][..., -1] = truth["sound"][:, :1, -1]
    kept = places(0, 1, 6, 7, n=8)
    found = drawn(net, truth, "sound", kept)["sound"]
    assert torch.equal(found[:, kept], truth["sound"][:, kept])
    assert torch.equal(found[..., -1], truth["sound"][..., -1])


def test_the_network_sees_kept_codes_as_in_training():
    """There, a target's known codes are no given ones: neither marked nor, with guidance, left out."""
    net, truth = loom(), whole(8)
    kept = {"text": places(0, 1)}
    canvas = net.canvas({"image": truth["image"], "text": truth["text"]}, ["text"], 8, kept)
    options = CodeSamplingConfig(steps=2, guidance=2.0)
    views = seen_by(net, lambda: net.sample(canvas, options, noise(8)))
    assert {frozenset(view) for view in views} == {
        frozenset({"text", "text:length"}),
        frozenset({"text", "text:length", "image"}),
    }
    for view in views:
        assert not view["text"].given.any()
        assert not view["text:length"].given.any()
        assert torch.equal(view["text"].state[:, :2], truth["text"][:, :2])
    assert (views[0]["text"].state[:, 2:] == MASK).all()
