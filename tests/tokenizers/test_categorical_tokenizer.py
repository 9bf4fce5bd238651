"""Codes of modalities that are discrete already."""

import json

import torch

from modaloom.modalities import MODALITIES
from modaloom.tokenizers.categorical import CategoricalTokenizer

RECORD = MODALITIES["record"]
ROWS = [{"age": 30, "sex": "f"}, {"age": 40}, {"age": 50, "sex": "m"}]


def test_codes_are_the_packed_slots_and_come_back() -> None:
    direct = CategoricalTokenizer(RECORD, RECORD.infer_spec(ROWS, RECORD.limits))
    codes = direct.encode(ROWS)
    assert codes.tolist() == [[[1], [1]], [[2], [0]], [[3], [2]]]
    assert codes.dtype == torch.int64
    assert direct.decode(codes) == ROWS
    assert (direct.shape.grid, direct.shape.depth, direct.shape.codebook_size) == ((2,), 1, 4)
    assert direct.encode([]).shape == (0, 2, 1)


def test_state_rebuilds_it() -> None:
    direct = CategoricalTokenizer(RECORD, RECORD.infer_spec(ROWS, RECORD.limits))
    again = CategoricalTokenizer.restore(json.loads(json.dumps(direct.state())))
    assert torch.equal(again.encode(ROWS), direct.encode(ROWS))
    assert again.shape == direct.shape
    assert not again.trainable
