"""Codes of the outline beside codes of the tint."""

import pytest
import torch

from modaloom.core.errors import BadValue
from modaloom.core.types import CodeShape
from modaloom.modalities import MODALITIES
from modaloom.modalities.colours import outline
from modaloom.tokenizers import VQVAETokenizer
from modaloom.tokenizers.global_codes import outline_side_means
from modaloom.tokenizers.vqvae import VQVAEConfig

SPEC = {"channels": 3, "size": [16, 16], "content": [16, 16]}


def tinted(global_codes: int) -> VQVAETokenizer:
    torch.manual_seed(0)
    return VQVAETokenizer(
        MODALITIES["image"], SPEC, VQVAEConfig(global_codes=global_codes, widths=(8, 16), codebook_size=16)
    ).eval()


def recoloured(n: int) -> torch.Tensor:
    """uint8 (n, 3, 16, 16): one shape in n pairs of colours."""
    g = torch.Generator().manual_seed(0)
    cover = torch.zeros(1, 1, 16, 16)
    cover[..., 3:9, 5:12] = 1
    ground, ink = (256 * torch.rand(n, 3, 1, 1, generator=g) for _ in range(2))
    return (ground + cover * (ink - ground)).byte()


def test_recoloured_pictures_differ_in_the_codes_of_the_tint_alone():
    tokenizer, packed = tinted(1), recoloured(12)
    tokenizer.loss(packed, torch.Generator().manual_seed(0))
    z = tokenizer.encoder(tokenizer.codec.normalize(packed))
    shape, tint = z.split([16, 16], 1)
    torch.testing.assert_close(shape, shape[:1].expand_as(shape), atol=2e-3, rtol=0)
    assert (tint - tint[:1]).abs().amax((1, 2, 3))[1:].min() > 0.02


def test_the_ends_are_the_two_colours_wherever_and_however_large_the_shape_is():
    g = torch.Generator().manual_seed(1)
    ground, ink = torch.rand(2, 8, 3, 1, 1, generator=g)
    cover = torch.zeros(8, 1, 16, 16)
    for i, one in enumerate(cover):
        one[:, i : i + 5, 2 : 5 + i // 2] = 1
    signal = ground + cover * (ink - ground)
    found = outline_side_means(signal, outline(signal))
    torch.testing.assert_close(found, torch.cat([ink, ground], 1).flatten(1), atol=1e-3, rtol=0)
    flat = outline_side_means(ground.expand(8, 3, 16, 16), torch.zeros(8, 1, 16, 16))
    torch.testing.assert_close(flat, torch.cat([ground, ground], 1).flatten(1))


def test_the_decoder_has_the_tint_from_its_codes():
    tokenizer, packed = tinted(1), recoloured(12)
    tokenizer.train().loss(packed, torch.Generator().manual_seed(0))
    tokenizer.eval()
    codes = tokenizer.encode_batch(packed)
    assert codes.shape[-1] == 3
    assert (codes[..., 2] != codes[:1, ..., 2]).any()
    assert (codes[..., 2] == codes[:, :1, :1, 2]).all()
    shape, tint = tokenizer.quantizer.decode(codes).split([16, 16], -1)
    torch.testing.assert_close(tokenizer.quantizer.decode(codes * torch.tensor([1, 1, 0]))[..., :16], shape)
    torch.testing.assert_close(tokenizer.quantizer.decode(codes * torch.tensor([0, 0, 1]))[..., 16:], tint)


def test_in_parts_the_outline_and_the_tint_are_still_those_of_the_whole():
    """By their vectors: a residual of zero is as near to several codes, among which rounding chooses."""
    tokenizer, packed = tinted(1), recoloured(4)
    for parameter in tokenizer.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    tokenizer.train().loss(packed, torch.Generator().manual_seed(0))
    codes, local = tokenizer.eval().encode_batch(packed), tokenizer.encoder.local_encoder
    assert len(codes[..., 0].unique()) > 2
    calls: list[int] = []
    local[0].register_forward_hook(lambda *_: calls.append(1))
    local.max_elements = 300
    decode = tokenizer.quantizer.decode
    torch.testing.assert_close(decode(tokenizer.encode_batch(packed)), decode(codes), rtol=0, atol=1e-4)
    assert len(calls) == 4 * 16


def test_both_encoders_learn():
    tokenizer = tinted(2).train()
    with torch.no_grad():
        for parameter in tokenizer.decoder.parameters():
            parameter.add_(0.01)
    tokenizer.loss(recoloured(12), torch.Generator().manual_seed(0)).total.backward()
    for part in (tokenizer.encoder.local_encoder, tokenizer.encoder.global_proj):
        grads = [p.grad for p in part.parameters()]
        assert all(grad is not None for grad in grads)
        assert any(grad.any() for grad in grads)


def test_what_can_be_asked():
    with pytest.raises(BadValue, match="global_codes"):
        VQVAEConfig(global_codes=3)
    again = VQVAETokenizer.restore(tinted(1).state())
    assert again.shape == tinted(1).shape == CodeShape((4, 4), 3, 16, shared=1)
    config = VQVAEConfig(global_codes=1, widths=(8, 16), codebook_size=16, groups=2)
    grouped = VQVAETokenizer(MODALITIES["image"], SPEC, config).eval()
    codes = grouped.encode_batch(recoloured(12))
    assert grouped.shape.shared == 2
    assert (codes[..., -2:] == codes[:, :1, :1, -2:]).all()
