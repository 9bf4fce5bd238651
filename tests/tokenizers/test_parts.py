"""Parts of values: every position that is before the end belongs to one, under the name that is expected."""

import pytest
import torch

from modaloom.core.types import CodeShape
from modaloom.modalities import MODALITIES
from modaloom.tokenizers.bpe import BPE
from modaloom.tokenizers.categorical import CategoricalTokenizer
from modaloom.tokenizers.parts import MAX_SIDE, MAX_STRETCHES, patches, stretches
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer

TEXTS = ["a small red circle at the top left", "a red star: large", "two large blue stars"]


def disjoint(parts, length):
    owners = torch.stack([part.positions for part in parts]).sum(0)
    return owners.tolist() == [1] * length


@pytest.mark.parametrize("variable", [False, True])
def test_words_and_signs_of_a_text(variable):
    tokenizer = BPE.learn(TEXTS, vocab_size=270, length=40, variable=variable)
    codes = tokenizer.encode(["a red star: large"])[0]
    parts = tokenizer.parts(codes)
    assert [part.name for part in parts] == ["a", "red", "star", ":", "large"]
    assert sum(int(part.positions.sum()) > 1 for part in parts) >= 1  # words of several tokens
    end = int((codes[:, 0] != tokenizer.shape.padding).sum()) if variable else 40
    assert disjoint(parts, 40)
    for name, part in zip(["a", " red", " star", ":", " large"], parts):
        kept = codes[part.positions & (torch.arange(40) < end)]
        assert tokenizer._text(kept[:, 0].tolist()) == name


def test_text_without_spaces_is_divided_by_tokens_of_whole_letters():
    tokenizer = BPE.learn(["红色的圆在左上"], vocab_size=300, length=30)
    parts = tokenizer.parts(tokenizer.encode(["红圆"])[0])
    assert [part.name for part in parts] == ["红", "圆"]
    assert tokenizer.parts(tokenizer.encode([""])[0]) == []


def test_codes_that_no_text_has_are_divided_by_tokens():
    tokenizer = BPE.learn(TEXTS, vocab_size=300, length=8)
    broken = torch.tensor([[200], [65], [tokenizer.eos], *[[tokenizer.pad]] * 5])
    assert disjoint(tokenizer.parts(broken), 8)


def test_patches_tile_the_picture_without_its_padding():
    parts = patches((2, 4), (16, 32), (16, 24))  # 4 columns of padding on each side
    assert [part.name for part in parts][:2] == ["row 1, column 1", "row 1, column 2"]
    assert disjoint(parts, 8)
    boxes = [part.box for part in parts]
    assert boxes[0] == pytest.approx((0, 0, 4 / 24, 0.5))
    assert boxes[7] == pytest.approx((20 / 24, 0.5, 1, 1))
    assert sum((right - left) * (bottom - top) for left, top, right, bottom in boxes) == pytest.approx(1)


def test_large_grids_have_fewer_parts_of_about_equal_size():
    parts = patches((20, 3), (160, 24), (160, 24))
    assert len(parts) == MAX_SIDE * 3
    assert disjoint(parts, 60)
    long = stretches(torch.zeros(100, 1), CodeShape((100,), 1, 8), 0.25)
    assert len(long) == MAX_STRETCHES
    assert {int(part.positions.sum()) for part in long} == {3, 4}
    assert long[-1].name.endswith("–25")


def test_stretches_end_with_the_value():
    shape = CodeShape((5, 2), 1, 8, variable=True)
    codes = torch.tensor([[1]] * 6 + [[shape.padding]] * 4)
    parts = stretches(codes, shape, 0.5)
    assert [part.name for part in parts] == ["0–0.5", "0.5–1", "1–1.5"]
    assert parts[1].box == pytest.approx((1 / 3, 0, 2 / 3, 1))
    assert parts[2].positions.nonzero().flatten().tolist() == [4, 5]


def test_columns_of_a_record_and_patches_of_a_tokenizer():
    rows = [{"age": 1.0, "sex": "f"}, {"age": 2.0, "sex": "m"}]
    record = MODALITIES["record"]
    tokenizer = CategoricalTokenizer(record, record.infer_spec(rows, record.limits))
    parts = tokenizer.parts(tokenizer.encode(rows)[0])
    assert [part.name for part in parts] == ["age", "sex"]
    assert disjoint(parts, 2)
    spec = {"size": [16, 16], "content": [16, 16], "channels": 3}
    pictures = VQVAETokenizer(MODALITIES["image"], spec, VQVAEConfig(widths=(8, 8), codebook_size=8))
    n = pictures.shape.num_positions
    assert disjoint(pictures.parts(torch.zeros(n, pictures.shape.depth, dtype=torch.int64)), n)


def test_bytes_of_one_letter_are_one_part():
    """Of letters that are no token, and of a text that is cut within one."""
    tokenizer = BPE.learn(["abc"], vocab_size=258, length=12)
    for text, names in (("שלום", "שלום"), ("a👩b", "a👩b"), ("红色 圆形上下", "红色 圆\ufffd")):
        parts = tokenizer.parts(tokenizer.encode([text])[0])
        assert "".join(part.name for part in parts) == names
        assert disjoint(parts, 12)
