"""Random crops of packed signals."""

import numpy as np
import pytest
import torch

from modaloom.core.errors import BadValue
from modaloom.core.rng import generator
from modaloom.modalities import IMAGE
from modaloom.networks.conv import pad_to_stride
from modaloom.tokenizers.crops import random_crop
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer

SPEC = {"size": [22, 40], "content": [22, 40], "channels": 3}


def numbered(*shape):
    return np.arange(np.prod(shape)).reshape(shape)


def crops(packed, size, strides, n=200):
    return [random_crop(packed, size, strides, generator(0, i)) for i in range(n)]


@pytest.mark.parametrize(
    ("sides", "size", "strides"),
    [((37,), (8,), (4,)), ((22, 40), (8, 16), (4, 8)), ((5, 9, 8), (2, 4, 8), (1, 4, 8))],
)
def test_crops_are_all_those_of_the_padded_signal_that_start_at_a_code(sides, size, strides):
    packed = numbered(2, *sides)
    whole = pad_to_stride(torch.from_numpy(packed[None]).double(), strides)[0].long().numpy()
    starts = [range(0, side - n + 1, stride) for side, n, stride in zip(whole.shape[1:], size, strides)]
    possible = {
        whole[(slice(None), *(slice(s, s + n) for s, n in zip(corner, size)))].tobytes()
        for corner in np.stack(np.meshgrid(*starts), -1).reshape(-1, len(size))
    }
    assert {crop.tobytes() for crop in crops(packed, size, strides)} == possible


def test_every_start_is_as_likely():
    first = [int(crop[0, 0]) for crop in crops(numbered(1, 16), (4,), (4,), n=800)]
    counts = [first.count(start) for start in (0, 4, 8, 12)]
    assert sum(counts) == 800
    assert min(counts) > 200 - 5 * 12.3


def test_a_short_axis_is_kept_whole():
    packed = numbered(1, 6, 40)
    assert {crop.shape for crop in crops(packed, (8, 8), (4, 8))} == {(1, 6, 8)}


def test_nothing_but_the_crop_is_read():
    packed = numbered(1, 64)
    assert all(np.shares_memory(crop, packed) for crop in crops(packed, (16,), (4,)))


def test_a_tokenizer_crops_as_it_is_asked_and_trains_on_crops():
    tokenizer = VQVAETokenizer(IMAGE, SPEC, VQVAEConfig(strides=(4, 8), crop_size=(8, 16), widths=(8,)))
    packed = np.random.default_rng(0).integers(0, 256, (3, 22, 40)).astype(np.uint8)
    one, again, other = (tokenizer.crop(packed, seed) for seed in (1, 1, 2))
    assert one.shape == (3, 8, 16)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    loss = tokenizer.loss(torch.from_numpy(np.stack([one, other])), generator(0))
    loss.total.backward()
    assert tokenizer.encoder[0].mix.weight.grad.abs().sum() > 0
    plain = VQVAETokenizer(IMAGE, SPEC, VQVAEConfig())
    assert plain.crop(packed, 1) is packed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crop_size": (8,)}, r"crop_size is \[8\]; signals of 2 axes need 2 numbers"),
        ({"crop_size": (8, 12)}, r"crop_size is \[8, 12\]; give positive multiples of the strides \[4, 8\]"),
        ({"crop_size": (0, 8)}, "give positive multiples"),
        ({"crop_size": (8, 8), "global_codes": 1}, "leave out either them or crop_size"),
    ],
)
def test_crops_that_do_not_fit_are_refused(options, message):
    with pytest.raises(BadValue, match=message):
        VQVAETokenizer(IMAGE, SPEC, VQVAEConfig(strides=(4, 8), **options))
