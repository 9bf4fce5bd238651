"""The linear path is the principal components of patches, which are the best linear autoencoder."""

import pytest
import torch
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.modalities import IMAGE
from modaloom.networks.conv import space_to_depth
from modaloom.networks.linear_path import LinearPath
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer

SPEC = {"size": [16, 16], "content": [16, 16], "channels": 3}


def signal(axes: int, sides: int = 8, n: int = 40) -> Tensor:
    """Correlated values."""
    x = torch.randn(n, 3, *[sides] * axes, generator=generator(axes))
    for axis in range(2, 2 + axes):
        x = x + 0.9 * x.roll(1, axis)
    return x + 1


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("dim", [2, 5, 60])
def test_no_linear_autoencoder_is_better(axes: int, dim: int) -> None:
    x, factors = signal(axes), (2,) * axes
    path = LinearPath(3, dim, factors)
    assert not path.encode(x).any()
    path.fit(x)
    z = path.encode(x).detach()
    error = (path.decode(z) - x).square().mean().detach()
    patches = space_to_depth(x, factors).movedim(1, -1).flatten(0, -2)
    centred = (patches - patches.mean(0)).double()
    left = torch.linalg.svdvals(centred)[dim:].square().sum() / centred.numel()
    assert float(error) == pytest.approx(float(left), rel=1e-3, abs=1e-8)
    used = min(dim, 3 * 2**axes)
    assert float(z[:, :used].square().mean()) == pytest.approx(1, rel=1e-4)
    assert not z[:, used:].any()


def test_a_tokenizer_begins_as_it_and_without_it_is_what_it_was() -> None:
    batch = torch.randint(0, 256, (32, 3, 16, 16), dtype=torch.uint8, generator=generator(0))
    torch.manual_seed(0)
    tokenizer = VQVAETokenizer(IMAGE, SPEC, VQVAEConfig(widths=(8, 8))).eval()
    torch.manual_seed(0)
    plain = VQVAETokenizer(IMAGE, SPEC, VQVAEConfig(widths=(8, 8), linear_start=False)).eval()
    x = IMAGE.signal.normalize(batch)
    assert torch.equal(tokenizer._encode(x), plain._encode(x))
    tokenizer.begin(batch)
    assert tokenizer.linear is not None
    z = tokenizer._encode(x)
    torch.testing.assert_close(z.movedim(-1, 1), tokenizer.linear.encode(x))
    torch.testing.assert_close(tokenizer._decode(z, (16, 16)), tokenizer.linear.decode(z.movedim(-1, 1)))
    before = [p.clone() for p in tokenizer.encoder.parameters()]
    tokenizer.train()
    optimizer = torch.optim.SGD(tokenizer.parameters(), 0.1)
    for step in range(2):
        optimizer.zero_grad()
        tokenizer.loss(batch, generator(step)).total.backward()
        optimizer.step()
    assert (
        sum(not torch.equal(a, b) for a, b in zip(before, tokenizer.encoder.parameters())) > len(before) / 2
    )


@pytest.mark.parametrize("settings", [{"global_codes": 1}, {"linear_start": False}])
def test_without_it(settings: dict[str, int]) -> None:
    tokenizer = VQVAETokenizer(IMAGE, SPEC, VQVAEConfig(**settings))  # type: ignore[arg-type]
    assert tokenizer.linear is None
    tokenizer.begin(torch.zeros(2, 3, 16, 16, dtype=torch.uint8))


def test_patches_that_are_too_large_have_none() -> None:
    spec = {"size": [256, 256], "content": [256, 256], "channels": 3}
    assert VQVAETokenizer(IMAGE, spec, VQVAEConfig()).linear is None
