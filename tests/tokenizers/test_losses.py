"""Reconstruction losses, and what it costs to add one."""

import math

import pytest
import torch

from modaloom.core.errors import BadValue
from modaloom.core.rng import generator
from modaloom.loom.config import LoomRunConfig
from modaloom.modalities import IMAGE
from modaloom.runs.config_io import override
from modaloom.tokenizers.losses import CHARBONNIER_EPSILON, LOSSES
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer

SPEC = {"size": [8, 8], "content": [8, 8], "channels": 3}


def tokenizer(config: VQVAEConfig) -> VQVAETokenizer:
    torch.manual_seed(0)
    return VQVAETokenizer(IMAGE, SPEC, config).eval()


def packed(n: int = 4) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, 8, 8), generator=generator(0)).byte()


def reconstruction(config: VQVAEConfig) -> float:
    return float(tokenizer(config).loss(packed(), generator(0)).parts["reconstruction"])


def test_the_closed_forms():
    signal = torch.zeros(2, 1, 4)
    rebuilt = torch.tensor([[[0.0, 0, 0, 2]], [[0.3, -0.3, 0.3, -0.3]]])
    assert LOSSES["mse"](rebuilt, signal).tolist() == pytest.approx([1, 0.09])
    assert LOSSES["l1"](rebuilt, signal).tolist() == pytest.approx([0.5, 0.3])
    smooth = [math.hypot(d, CHARBONNIER_EPSILON) - CHARBONNIER_EPSILON for d in (2, 0.3)]
    assert LOSSES["charbonnier"](rebuilt, signal).tolist() == pytest.approx([smooth[0] / 4, smooth[1]])


def test_the_levels_of_a_pyramid_count_alike():
    """A point of height 8 on 8 positions: 4, −4 at the finest level, 4, 0, 0, 0 below; a constant: below."""
    errors = torch.tensor([[8.0, 0, 0, 0, 0, 0, 0, 0], [3.0] * 8])[:, None]
    assert LOSSES["laplacian"](errors, torch.zeros_like(errors)).tolist() == [1, 1.5]
    errors = torch.tensor([1.0, -1.0]).repeat(1, 1, 16, 8)  # two axes: three levels, two of them 0
    assert LOSSES["laplacian"](errors, torch.zeros_like(errors)).tolist() == pytest.approx([1 / 3])


def test_what_is_loud_counts_and_silence_is_not_filled():
    """Levels 1 and 1/4, either of which may be the reconstruction's: weights 1 and 1/8; below 0.02, 0.02."""
    loss, loud, quiet, silent = LOSSES["level_weighted"], 1.0, -0.5, -1.0
    signal = torch.tensor([[[loud, quiet]], [[silent, loud]], [[silent, silent]]])
    rebuilt = torch.tensor([[[0.8, quiet]], [[quiet, loud]], [[silent, -0.99]]])
    expected = [0.2 / (1 + 1 / 8), (0.5 / 8) / (1 + 1 / 8), 0.01 / 2]
    assert loss(rebuilt, signal).tolist() == pytest.approx(expected)
    rebuilt.requires_grad_()
    loss(rebuilt, signal).sum().backward()
    assert rebuilt.grad is not None
    assert rebuilt.grad[0, 0, 0] == pytest.approx(-1 / (1 + 1 / 8))  # none through the weights


@pytest.mark.parametrize("name", LOSSES)
def test_each_is_a_mean_per_sample_that_vanishes_where_nothing_is_wrong(name):
    x, y = torch.randn(2, 3, 2, 4, 5, generator=generator(1)).unbind()
    loss = LOSSES[name]
    assert loss(x, x).abs().max() < 1e-6
    assert (loss(x, y) > 0).all()
    torch.testing.assert_close(loss(x, y), torch.cat([loss(x[i : i + 1], y[i : i + 1]) for i in range(3)]))
    torch.testing.assert_close(loss(x.repeat(1, 1, 2, 1), y.repeat(1, 1, 2, 1)), loss(x, y))


def test_the_default_is_the_modality_s_own_bit_for_bit():
    assert reconstruction(VQVAEConfig()) == reconstruction(VQVAEConfig(loss="mse"))
    assert reconstruction(VQVAEConfig()) != reconstruction(VQVAEConfig(loss="l1"))


def test_a_new_loss_is_one_function_and_one_entry(monkeypatch):
    """Chosen by its name, it is what a VQ-VAE is trained on."""

    def largest(rebuilt: torch.Tensor, signal: torch.Tensor) -> torch.Tensor:
        return (rebuilt - signal).abs().flatten(1).amax(1)

    monkeypatch.setitem(LOSSES, "largest", largest)
    run = override(LoomRunConfig(), ["tokenizers.image.loss=largest", "tokenizers.image.augment_prob=0"])
    model, batch, seen = tokenizer(run.tokenizer_of("image", "image").options), packed(), []
    model.decoder.register_forward_hook(lambda module, inputs, output: seen.append(output.float()))
    loss = model.loss(batch, generator(0))
    assert loss.parts["reconstruction"] == largest(seen[0], IMAGE.signal.normalize(batch)).mean()
    assert loss.total > loss.parts["reconstruction"]


def test_an_unknown_loss_is_refused():
    with pytest.raises(BadValue, match=r"unknown loss 'l2'.*charbonnier, l1, laplacian, level_weighted, mse"):
        VQVAEConfig(loss="l2")
