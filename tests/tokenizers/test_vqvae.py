"""A VQ-VAE of small pictures, and of signals on one and three axes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from modaloom.core.errors import BadValue
from modaloom.core.rng import generator
from modaloom.loom.config import PRESETS
from modaloom.modalities import IMAGE, MODALITIES, TEXT, SignalCodec
from modaloom.modalities.image_spec import ImageLimits
from modaloom.modalities.signal_codec import no_outline
from modaloom.quantizers import GrowthConfig
from modaloom.tokenizers import vqvae
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer

CONFIG = VQVAEConfig(code_grid=2, widths=(16, 32), latent_dim=8, codebook_size=16, num_quantizers=2)
CODEC = IMAGE.signal
SPEC = {"size": [8, 8], "content": [8, 8], "channels": 3}


@pytest.fixture(autouse=True)
def one_start():
    """Weights are drawn from torch's global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def pictures(n, height=8, width=8, seed=0):
    """A bright box of some colour on black, somewhere."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(n):
        pixels = np.zeros((height, width, 3), np.uint8)
        top, left = rng.integers(0, height - 3), rng.integers(0, width - 3)
        pixels[top : top + 4, left : left + 4] = rng.integers(100, 256, 3)
        found.append(Image.fromarray(pixels))
    return found


def prepared(tokenizer, values):
    return torch.from_numpy(np.stack([tokenizer.prepare(value) for value in values]))


def train(tokenizer, values, steps=60):
    packed = prepared(tokenizer, values)
    optimizer = torch.optim.AdamW(tokenizer.parameters(), lr=3e-3)
    tokenizer.train()
    for step in range(steps):
        optimizer.zero_grad()
        tokenizer.loss(packed, generator(0, step)).total.backward()
        optimizer.step()
    return tokenizer.eval()


def error(tokenizer, values):
    back = tokenizer.decode(tokenizer.encode(values))
    return float(
        np.mean([np.square(np.asarray(a, float) - np.asarray(b, float)) for a, b in zip(back, values)])
    )


def test_training_makes_the_round_trip_better_than_any_one_picture():
    values, unseen = pictures(64), pictures(16, seed=1)
    tokenizer = VQVAETokenizer(IMAGE, SPEC, CONFIG)
    before = error(tokenizer.eval(), unseen)
    after = error(train(tokenizer, values), unseen)
    mean = np.mean([np.asarray(v, float) for v in values], 0)
    constant = np.mean([np.square(np.asarray(v, float) - mean) for v in unseen])
    assert after < 0.7 * constant
    assert after < 0.5 * before


def test_codes_fill_the_promised_grid():
    tokenizer = train(VQVAETokenizer(IMAGE, SPEC, CONFIG), pictures(32), steps=3)
    codes = tokenizer.encode(pictures(5))
    assert (codes.shape, codes.dtype) == ((5, 2, 2, 2), torch.int64)
    assert (tokenizer.shape.grid, tokenizer.shape.depth, tokenizer.shape.codebook_size) == ((2, 2), 2, 16)
    assert codes.min() >= 0
    assert codes.max() < 16
    assert len(codes.unique()) > 1
    assert tokenizer.vectors.shape == (2, 16, 8)


def test_packed_values_and_batches_of_any_size_have_the_same_codes(monkeypatch):
    tokenizer, values = train(VQVAETokenizer(IMAGE, SPEC, CONFIG), pictures(32), steps=5), pictures(7)
    codes = tokenizer.encode(values)
    packed = prepared(tokenizer, values)
    whole = tokenizer.decode(codes)
    for batch in (1, 3, 7):
        monkeypatch.setattr(vqvae, "MAX_BATCH", batch)
        assert torch.equal(tokenizer.encode_batch(packed), codes)
        assert all(np.array_equal(a, b) for a, b in zip(whole, tokenizer.decode(codes), strict=True))
    assert tokenizer.encode([]).shape == tokenizer.encode_batch(packed[:0]).shape == (0, 2, 2, 2)


def test_the_asked_share_of_the_pictures_is_varied():
    seen = []
    black = replace(
        CODEC,
        augment=lambda signal, generator, rows: torch.full_like(signal, -1),
        loss=lambda back, signal: seen.append(signal) or CODEC.loss(back, signal),
    )
    tokenizer = VQVAETokenizer(replace(IMAGE, codec=black), SPEC, replace(CONFIG, augment_prob=0.25))
    packed = torch.full((400, 3, *SPEC["size"]), 255, dtype=torch.uint8)
    tokenizer.loss(packed, generator(0))
    share = (seen[0].flatten(1) == -1).all(1).float().mean()
    assert set(seen[0].unique().tolist()) == {-1, 1}
    assert share.item() == pytest.approx(0.25, abs=0.06)


@pytest.mark.parametrize(("rebuild", "expected"), [(lambda x: x, 0.0), (lambda x: x.mean(0), 1.0)])
def test_the_validation_error_is_relative_to_the_variance(monkeypatch, rebuild, expected):
    """0 is lossless, 1 the error of the mean picture; both are far from the squared error itself."""
    model = VQVAETokenizer(IMAGE, SPEC, replace(CONFIG, augment_prob=0.0)).eval()
    batch = prepared(model, pictures(16))
    signal = IMAGE.signal.normalize(batch)
    monkeypatch.setattr(model, "_decode", lambda z, sides: rebuild(signal).expand_as(signal))
    assert float(model.validation_error(batch, generator(0))) == pytest.approx(expected, abs=1e-6)


def test_encoding_learns_nothing():
    tokenizer = train(VQVAETokenizer(IMAGE, SPEC, CONFIG), pictures(32), steps=2)
    before = {name: t.clone() for name, t in tokenizer.state_dict().items()}
    tokenizer.decode(tokenizer.encode(pictures(9)))
    assert all(torch.equal(before[name], t) for name, t in tokenizer.state_dict().items())


def test_the_reconstruction_alone_teaches_the_encoder():
    tokenizer = VQVAETokenizer(IMAGE, SPEC, replace(CONFIG, commitment=0)).train()
    tokenizer.loss(prepared(tokenizer, pictures(32)), generator(0)).total.backward()
    assert sum(float(p.grad.abs().sum()) for p in tokenizer.encoder.parameters()) > 0


def test_the_loss_reaches_encoder_and_decoder_and_commits():
    tokenizer = VQVAETokenizer(IMAGE, SPEC, replace(CONFIG, commitment=0.5)).train()
    packed = prepared(tokenizer, pictures(32))
    tokenizer.loss(packed, generator(0)).total.backward()
    for part in (tokenizer.encoder, tokenizer.decoder):
        assert sum(float(p.grad.abs().sum()) for p in part.parameters()) > 0
    tokenizer.eval()
    loss = tokenizer.loss(packed, generator(0))
    assert {"reconstruction", "perplexity", "distortion"} <= set(loss.parts)
    assert loss.total.item() > loss.parts["reconstruction"].item() > 0
    rebuilt = torch.stack(
        [torch.from_numpy(np.array(p)) for p in tokenizer.decode(tokenizer.encode_batch(packed))]
    )
    signal, back = CODEC.normalize(packed), CODEC.normalize(rebuilt.permute(0, 3, 1, 2))
    clipped = (back - signal).square().mean().item()
    assert clipped <= loss.parts["reconstruction"].item() + 1e-3


@pytest.mark.parametrize(
    ("size", "grid"), [([10, 7], (3, 2)), ([3, 16], (1, 4)), ([1, 1], (1, 1)), ([9, 9], (3, 3))]
)
def test_sizes_that_the_stride_does_not_divide_are_padded_and_cut(size, grid):
    values = [Image.effect_noise((size[1], size[0]), 64).convert("RGB") for _ in range(4)]
    tokenizer = VQVAETokenizer(
        IMAGE, {"size": size, "content": size, "channels": 3}, replace(CONFIG, code_grid=4)
    )
    assert tokenizer.shape.grid == grid
    codes = train(tokenizer, values, steps=1).encode(values)
    assert tuple(codes.shape[1:-1]) == grid
    assert [(v.height, v.width) for v in tokenizer.decode(codes)] == [tuple(size)] * 4


RAW = SignalCodec(
    pack=lambda value, spec: value.astype(np.float32),
    unpack=lambda packed, spec: packed,
    to_array=lambda value: value,
    from_array=lambda packed, facts: packed,
    normalize=lambda packed: packed.float(),
    denormalize=lambda signal: signal,
    loss=lambda a, b: (a - b).square().flatten(1).mean(1),
)
"""Arrays (C, *axes) in [-1, 1] as they are."""
CUBE = replace(IMAGE, name="cube", codec=RAW)


def arrays(n, size, seed=0):
    return list(np.random.default_rng(seed).uniform(-1, 1, (n, 1, *size)))


@pytest.mark.parametrize(("size", "grid"), [([12], (3,)), ([16, 4, 6], (4, 1, 2))])
def test_signals_of_one_and_three_axes(size, grid):
    """Any modality with a signal will do: its channels and axes are all that counts."""
    values = arrays(6, size)
    tokenizer = VQVAETokenizer(CUBE, {"size": size, "channels": 1}, replace(CONFIG, code_grid=4))
    codes = train(tokenizer, values, steps=1).encode(values)
    assert tokenizer.shape.grid == tuple(codes.shape[1:-1]) == grid
    assert [v.shape for v in tokenizer.decode(codes)] == [(1, *size)] * 6


@pytest.mark.parametrize(
    ("size", "strides", "grid"),
    [([50], (16,), (4,)), ([6, 16, 9], (4, 8, 8), (2, 2, 2)), ([5, 8], (1, 4), (5, 2))],
)
def test_an_axis_may_have_its_own_stride(monkeypatch, size, strides, grid):
    values = arrays(6, size)
    tokenizer = VQVAETokenizer(CUBE, {"size": size, "channels": 1}, replace(CONFIG, strides=strides))
    assert tokenizer.shape.grid == grid
    codes = train(tokenizer, values, steps=1).encode(values)
    assert tuple(codes.shape[1:-1]) == grid
    assert [v.shape for v in tokenizer.decode(codes)] == [(1, *size)] * 6
    monkeypatch.setitem(MODALITIES, "cube", CUBE)
    again = VQVAETokenizer.restore(json.loads(json.dumps(tokenizer.state())))
    again.load_state_dict(tokenizer.state_dict())
    assert torch.equal(again.eval().encode(values), codes)


def test_the_stride_of_a_grid_is_that_stride_along_every_axis():
    def weights(**options):
        torch.manual_seed(0)
        return VQVAETokenizer(IMAGE, SPEC, replace(CONFIG, **options)).state_dict()

    one, other = weights(code_grid=2), weights(strides=(4, 4))
    assert [*one] == [*other]
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_quantizers": 0}, "num_quantizers is 0; it must be at least 1"),
        ({"codebook_size": 0}, "codebook_size is 0; it must be at least 1"),
        ({"latent_dim": 0}, "latent_dim is 0; it must be at least 1"),
        ({"num_res_blocks": -1}, "num_res_blocks is -1; it must be at least 0"),
        ({"widths": ()}, r"widths is \[\]; give the channels of each stage, at least 1"),
        ({"widths": (32, 0)}, r"widths is \[32, 0\]; give the channels"),
    ],
)
def test_sizes_of_networks_are_checked(options, message):
    with pytest.raises(BadValue, match=message):
        VQVAEConfig(**options)


@pytest.mark.parametrize("strides", [(3, 4), (0, 4), (-2, 4), (1, 1)])
def test_strides_that_cannot_be_are_refused(strides):
    with pytest.raises(BadValue, match=r"strides is .*a power of two for each axis"):
        VQVAEConfig(strides=strides)


def test_strides_of_other_axes_are_refused():
    with pytest.raises(BadValue, match=r"strides is \[4\]; signals of 2 axes need 2 numbers"):
        VQVAETokenizer(IMAGE, SPEC, replace(CONFIG, strides=(4,)))


@pytest.mark.parametrize("pieces", [2, 5, 20])
@pytest.mark.parametrize(("size", "strides"), [([1000], (8,)), ([29, 70], (4, 8)), ([5, 14, 18], (2, 4, 4))])
def test_long_signals_are_encoded_and_decoded_in_parts(size, strides, pieces):
    """The codes are the same, the values up to rounding; no part has more elements than are allowed."""
    values = arrays(3, size)
    tokenizer = VQVAETokenizer(CUBE, {"size": size, "channels": 1}, replace(CONFIG, strides=strides))
    stir(tokenizer)
    tokenizer.train().loss(prepared(tokenizer, values), generator(0))
    codes = tokenizer.eval().encode(values)
    assert len(codes.unique()) > 4
    whole, calls = tokenizer.decode(codes), []
    for net in (tokenizer.encoder, tokenizer.decoder):
        net.max_elements = 3 * tokenizer.shape.num_positions * net.elements_per_cell // pieces
        net[0].register_forward_hook(lambda module, inputs, output: calls.append(module))
    assert torch.equal(tokenizer.encode(values), codes)
    parts = tokenizer.decode(codes)
    assert min(calls.count(net[0]) for net in (tokenizer.encoder, tokenizer.decoder)) >= 3
    for one, other in zip(parts, whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-4 * np.abs(other).max())


def stir(module):
    """Random weights, so that no block is the identity."""
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.2)


@pytest.mark.parametrize("preset", PRESETS)
def test_no_preset_has_values_that_run_in_parts(preset):
    run = PRESETS[preset]()
    side = run.data.limits_of("image").max_side
    spec = {"size": [side, side], "content": [side, side], "channels": 3}
    tokenizer = VQVAETokenizer(IMAGE, spec, run.tokenizer_of("image", "image").options)
    for net in (tokenizer.encoder, tokenizer.decoder):
        assert vqvae.MAX_BATCH * tokenizer.shape.num_positions * net.elements_per_cell <= net.max_elements


def test_only_signals_have_one():
    with pytest.raises(BadValue, match="text has no signal"):
        VQVAETokenizer(TEXT, SPEC, CONFIG)


def test_global_codes_without_an_outline_are_left_out():
    plain = replace(IMAGE, codec=replace(CODEC, outline=no_outline))
    config = replace(CONFIG, global_codes=1)
    assert VQVAETokenizer(IMAGE, SPEC, config).shape.shared == 1
    assert VQVAETokenizer(plain, SPEC, config).shape.shared == 0


def test_streams_of_one_form_share_a_tokenizer():
    columns = {"a": pictures(4), "wide": pictures(4, width=16), "b": pictures(3, seed=1)}
    groups = VQVAETokenizer.fit(IMAGE, columns, ImageLimits(max_side=32), CONFIG)
    assert [[*group] for group in groups] == [["a", "b"], ["wide"]]
    assert groups[0]["a"] is groups[0]["b"]
    assert groups[1]["wide"].spec["size"] == [8, 16]
    assert groups[0]["a"].trainable


def test_restored_with_its_tensors_it_is_the_same():
    tokenizer, values = train(VQVAETokenizer(IMAGE, SPEC, CONFIG), pictures(32), steps=5), pictures(9)
    state = json.loads(json.dumps(tokenizer.state()))
    again = VQVAETokenizer.restore(state)
    again.load_state_dict(tokenizer.state_dict())
    assert again.eval().config == CONFIG
    assert torch.equal(again.encode(values), tokenizer.encode(values))
    codes = tokenizer.encode(values)
    assert all(
        np.array_equal(a, b) for a, b in zip(again.decode(codes), tokenizer.decode(codes), strict=True)
    )


def test_halvings_follow_from_the_grid():
    for side, grid, expected in ((32, 4, 4), (32, 8, 8), (24, 4, 3), (8, 8, 4)):
        spec = {"size": [side, side], "content": [side, side], "channels": 1}
        assert VQVAETokenizer(IMAGE, spec, replace(CONFIG, code_grid=grid)).shape.grid == (expected, expected)


@pytest.mark.parametrize(
    ("options", "depth", "size"),
    [
        ({"quantizer": "fsq", "codebook_size": 20}, 2, 20),
        ({"quantizer": "lfq"}, 2, 16),
        ({"codebook": "sim", "gradient_estimator": "rotation", "codebook_dim": 4, "normalize": True}, 2, 16),
        ({"adaptive_distortion": 0.3}, 2, 17),
        ({"groups": 2, "dropout": 0.5}, 4, 16),
        ({"growth": GrowthConfig(initial_codes=4, doubling_steps=2)}, 2, 16),
    ],
)
def test_any_quantizer_may_stand_in_the_middle(options, depth, size):
    """The promised shape follows it; trained, it beats the untrained; the state rebuilds it."""
    values, config = pictures(64), replace(CONFIG, **options)
    tokenizer = VQVAETokenizer(IMAGE, SPEC, config)
    assert (tokenizer.shape.depth, tokenizer.shape.codebook_size) == (depth, size)
    assert tokenizer.vectors.shape == (depth, size, 8)
    before = error(tokenizer.eval(), values)
    assert error(train(tokenizer, values, steps=40), values) < 0.7 * before
    codes = tokenizer.encode(values)
    assert codes.shape[-1] == depth
    assert 0 <= codes.min() <= codes.max() < size
    again = VQVAETokenizer.restore(json.loads(json.dumps(tokenizer.state())))
    again.load_state_dict(tokenizer.state_dict())
    assert again.config == config
    assert torch.equal(again.eval().encode(values), codes)
