"""What parts tell of a value, by models that read one patch and one word and nothing else."""

from collections.abc import Mapping

import pytest
import torch
from torch.nn.functional import one_hot

from modaloom.core.rng import generator
from modaloom.core.types import MASK, CodeShape
from modaloom.evaluation.owen import owen_values
from modaloom.loom.config import LoomConfig
from modaloom.loom.evidence import WHOLE, Evidence, parts_of
from modaloom.loom.loom import Loom
from modaloom.tokenizers.parts import patches, stretches

PATCH, WORD, K = 5, 2, 16
SHAPES = {
    "image": CodeShape((4, 4), 2, K, shared=1),
    "question": CodeShape((6,), 1, 8),
    "answer": CodeShape((1,), 1, K),
}
SMALL = {"width": 16, "num_layers": 1, "num_heads": 1}


class Reads(Loom):
    """Copies the code of one patch if it sees one word; without both it knows nothing."""

    def __init__(self, shapes: Mapping[str, CodeShape] = SHAPES, process: str = "masked") -> None:
        super().__init__(shapes, {name: name for name in shapes}, {}, LoomConfig(process=process, **SMALL))
        self.seen = []

    def forward(self, canvas, augmented=None):
        self.seen.append(canvas)
        logits = torch.zeros(*canvas["answer"].state.shape, K)
        if "image" in canvas and "question" in canvas:
            code, word = canvas["image"].state[:, PATCH, 0], canvas["question"].state[:, WORD, 0]
            logits = (
                logits
                + 60
                * (one_hot(code.clamp_min(0), K) * ((code != MASK) & (word != MASK))[:, None])[:, None, None]
            )
        return dict.fromkeys(canvas, logits)


def codes(shapes=SHAPES):
    random = torch.Generator().manual_seed(0)
    found = {
        name: torch.randint(0, shape.codebook_size, (shape.num_positions, shape.depth), generator=random)
        for name, shape in shapes.items()
    }
    found["image"][:, 1] = 3  # shared by all positions
    return {**found, "answer": found["image"][PATCH : PATCH + 1, :1]}


def evidence(loom, value=None, **options):
    given = codes(loom.shapes)
    answer = given.pop("answer")
    parts = {
        "image": parts_of(loom, "image", patches((4, 4), (32, 32), (32, 32))),
        "question": parts_of(loom, "question", stretches(given["question"], loom.shapes["question"])),
    }
    options = {"seed": 0, "levels": 4} | options
    return Evidence(loom, given, parts, "answer", answer if value is None else value, **options), parts


def test_the_only_patch_and_the_only_word_that_the_model_reads_are_found():
    """log2 16 = 4 bits take both: each has half of them, in its stream all."""
    game, parts = evidence(Reads())
    found = owen_values(game, [len(column) for column in parts.values()], orders=4, generator=generator(0))
    names = [(name, part.name) for name, column in parts.items() for part in column]
    told = {name: bits for name, bits in zip(names, found.tolist()) if abs(bits) > 1e-6}
    assert told == {
        ("image", "row 2, column 2"): pytest.approx(2),
        ("question", "2–3"): pytest.approx(2),
    }
    assert names[16] == ("image", WHOLE)


def test_bits_are_those_of_the_value_and_do_not_depend_on_the_batch():
    game, parts = evidence(Reads())
    sizes = [len(column) for column in parts.values()]
    shown = torch.rand(40, sum(sizes), generator=torch.Generator().manual_seed(1)) < 0.8
    together, alone = game(shown), torch.cat([game(row[None]) for row in shown])
    torch.testing.assert_close(together, alone)
    sees = shown[:, PATCH] & shown[:, 17 + WORD]
    torch.testing.assert_close(together, torch.where(sees, 0.0, -4.0).double())
    wrong, _ = evidence(Reads(), value=(codes()["answer"] + 1) % K)
    assert float(wrong(torch.ones(1, sum(sizes), dtype=torch.bool))) < -40


def test_a_stream_of_which_nothing_is_shown_is_absent_and_hidden_codes_are_masked():
    loom = Reads()
    game, _ = evidence(loom)
    shown = torch.zeros(1, 23, dtype=torch.bool)
    shown[0, [PATCH, 16]] = True
    game(shown)
    (canvas,) = loom.seen
    assert {*canvas} == {"image", "image:shared", "answer"}
    masked = canvas["image"].state == MASK
    assert masked[:, :, 0].sum(1).tolist() == [15] * 4
    assert not masked[:, PATCH].any()
    assert bool((canvas["image:shared"].state == 3).all())
    assert canvas["image"].t.tolist() == [1] * 4
    assert not bool(canvas["image"].given.any())
    assert canvas["image:shared"].given.all()


def test_hidden_codes_of_uniform_diffusion_are_noise_and_shown_ones_stay():
    loom = Reads(process="uniform")
    game, _ = evidence(loom)
    shown = torch.ones(2, 23, dtype=torch.bool)
    shown[0, 8:16] = False
    game(shown)
    (canvas,) = loom.seen
    states = canvas["image"].state.view(2, 4, 16, 1)
    order = canvas["image"].t.view(2, 4)[:, 0].argsort()  # rows may come in any order
    whole, partly = states[order[0]], states[order[1]]
    assert bool((whole == codes()["image"][:, :1]).all())
    assert bool((partly[:, :8] == whole[:, :8]).all())
    assert not bool((partly[:, 8:] == whole[:, 8:]).all())
    assert bool((partly == partly[:1]).all())


def test_values_of_variable_length_have_parts_up_to_their_end():
    shapes = {**SHAPES, "question": CodeShape((6,), 1, 8, variable=True)}
    loom = Reads(shapes)
    given = codes(shapes)
    given["question"][4:] = shapes["question"].padding
    answer = given.pop("answer")
    parts = {
        "image": parts_of(loom, "image", patches((4, 4), (32, 32), (32, 32))),
        "question": parts_of(loom, "question", stretches(given["question"], shapes["question"])),
    }
    assert [len(column) for column in parts.values()] == [17, 4]
    game = Evidence(loom, given, parts, "answer", answer, seed=0, levels=2)
    shown = torch.ones(2, 21, dtype=torch.bool)
    shown[0, 17 + WORD] = False
    assert game(shown).tolist() == pytest.approx([-4, 0])
    assert all(bool((c["question:length"].state == 4).all()) for c in loom.seen)


def test_a_value_without_parts_is_one():
    loom = Reads()
    (whole,) = parts_of(loom, "question", [])
    assert whole.name == WHOLE
    assert bool(whole.positions.all())
