"""Values that are changed by degrees: given codes at a noise level are the start of their own sampling.

Oracle: the forward process, q(state at t | codes), and sampling from noise alone.
"""

import pytest
import torch
from test_variable_length import SHAPES, codes, loom, seen_by

from modaloom.core.errors import BadValue
from modaloom.core.types import MASK
from modaloom.diffusion.samplers import CODE_SAMPLERS
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.model import Model, Stream

N = 64
SAMPLERS = [(p, name) for name, sampler in CODE_SAMPLERS.items() for p in sampler.fns]


class _Shape:
    def __init__(self, shape):
        self.shape = shape


def model(process):
    return Model({n: Stream("text", _Shape(s), n) for n, s in SHAPES.items()}, loom(process))


def drawn(found, truth, name, t, sampler, n=N):
    """Stream → codes, of `name` at a strength under the picture or the text."""
    given = {other: truth[other] for other in {name, "image", "text"}}
    places = torch.zeros(SHAPES[name].num_positions, dtype=torch.bool)
    options = CodeSamplingConfig(sampler, steps=4, unconditional_sampler=sampler)
    frames = found.stream(given, [name], n=n, options=options, kept={name: places}, strength={name: t})
    *_, last = frames
    return last.result[name]


@pytest.mark.parametrize(("process", "sampler"), SAMPLERS)
@pytest.mark.parametrize("name", ["image", "sound"])
def test_at_1_nothing_of_the_value_is_left(process, sampler, name):
    """But its length: nor of the codes that all its positions share, such as a tint."""
    found, truth = model(process), codes(N)
    padding = truth[name] == SHAPES[name].padding
    other = truth | {name: torch.where(padding, truth[name], (truth[name] + 1) % SHAPES[name].codebook_size)}
    assert torch.equal(*(drawn(found, one, name, 1, sampler) for one in (truth, other)))


@pytest.mark.parametrize("process", ["masked", "uniform"])
def test_shared_codes_change_by_degrees(process):
    found, truth = model(process), codes(N)
    few, many = (drawn(found, truth, "sound", t, "auto")[:, 0, -1] for t in (0.1, 1))
    changed = [int((one != truth["sound"][:, 0, -1]).sum()) for one in (few, many)]
    assert 0 < changed[0] < changed[1] / 2


def test_what_goes_on_has_no_strength():
    """An empty text, or one that is kept to its end: its length is drawn, and there is nothing to change."""
    found, truth = model("masked"), codes(2)
    empty = torch.full_like(truth["text"], SHAPES["text"].padding)
    for text, places in ((empty, torch.zeros(6).bool()), (truth["text"], torch.ones(6).bool())):
        with pytest.raises(BadValue, match="text is empty, or kept to its end"):
            next(found.stream({"text": text}, ["text"], n=2, kept={"text": places}, strength={"text": 0.5}))


@pytest.mark.parametrize("t", [0.2, 0.7])
@pytest.mark.parametrize("name", ["image", "text"])
@pytest.mark.parametrize("process", ["masked", "uniform"])
def test_the_start_is_the_forward_process(process, name, t):
    """Of K codes, a code stays with 1 − t where others are masked, 1 − t + t / K where others are random."""
    found, truth, sampler = model(process), codes(N), {"masked": "maskgit", "uniform": "ancestral"}[process]
    first, *_ = seen_by(found.loom, lambda: drawn(found, truth, name, t, sampler))
    state, valid = first[name].state, first[name].valid
    clean = truth[name][:, : state.shape[1]]
    stayed = (state == clean)[valid].double()
    share = 1 - t + (t / SHAPES[name].codebook_size if process == "uniform" else 0)
    assert abs(float(stayed.mean()) - share) < 4 * (share * (1 - share) / stayed.numel()) ** 0.5
    if process == "masked":
        assert (state[valid][stayed == 0] == MASK).all()
    assert torch.allclose(first[name].t, torch.tensor(float(t)))


@pytest.mark.parametrize(("process", "sampler"), SAMPLERS)
def test_little_strength_changes_little_and_the_length_stays(process, sampler):
    found, truth = model(process), codes(N)
    padding = SHAPES["text"].padding
    changes = [drawn(found, truth, "text", t, sampler) for t in (0.05, 0.9)]
    for one in changes:
        assert torch.equal(one == padding, truth["text"] == padding)
        assert (one != MASK).all()
    few, many = (int((one != truth["text"]).sum()) for one in changes)
    assert few < many / 2


def test_a_strength_alone_keeps_nothing_as_it_is():
    found, truth = model("masked"), codes(2)
    places = torch.zeros(SHAPES["image"].num_positions, dtype=torch.bool)
    with pytest.raises(BadValue, match="nothing of image is kept"):
        next(found.stream({"image": truth["image"]}, ["image"], n=2, kept={"image": places}))
