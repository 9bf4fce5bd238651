"""A VQ-VAE against a discriminator, and the perceptual loss on its activations."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from modaloom.core.distributed import Rows
from modaloom.core.errors import BadValue
from modaloom.core.rng import generator
from modaloom.core.types import Loss
from modaloom.loom.config import LoomRunConfig
from modaloom.modalities import IMAGE
from modaloom.runs.config_io import override
from modaloom.tokenizers.adversary import Adversary, AdversaryConfig, adaptive_weight, hinge_loss
from modaloom.tokenizers.losses import LOSSES
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer

SPEC = {"size": [16, 16], "content": [16, 16], "channels": 3}
CONFIG = VQVAEConfig(widths=(8, 8), codebook_size=8, latent_dim=4, num_quantizers=1, dead_code_threshold=0)


def tokenizer(**adversary: float) -> VQVAETokenizer:
    torch.manual_seed(0)
    config = replace(CONFIG, adversary=AdversaryConfig(width=4, num_layers=2, **adversary))
    return VQVAETokenizer(IMAGE, SPEC, config).train()


def packed(seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (6, 3, 16, 16), generator=generator(seed)).byte()


def gradients(module: torch.nn.Module) -> list[Tensor | None]:
    return [p.grad for p in module.parameters()]


def test_the_hinge_is_its_closed_form() -> None:
    real, fake = torch.tensor([[2.0, 0.5, -1.0]] * 2), torch.tensor([[-3.0, -0.5, 1.0]] * 2)
    expected = ((0 + 0.5 + 2) / 3 + (0 + 0.5 + 2) / 3) / 2
    assert hinge_loss(real, fake).tolist() == pytest.approx([expected] * 2)


def test_the_adaptive_weight_makes_both_gradients_of_the_last_layer_equally_long() -> None:
    kernel, x = torch.randn(3, 4, generator=generator(0), requires_grad=True), torch.randn(4)
    error, adversarial = (kernel @ x).square().sum(), 7 * (kernel @ x).sin().sum()
    weight = adaptive_weight(error, adversarial, kernel)
    one, other = (torch.autograd.grad(loss, kernel, retain_graph=True)[0] for loss in (error, adversarial))
    assert float(weight * other.norm()) == pytest.approx(float(one.norm()), rel=1e-4)
    assert not weight.requires_grad
    assert float(adaptive_weight(error, 1e-9 * adversarial, kernel)) == pytest.approx(1e4)


def test_without_weights_there_is_no_discriminator() -> None:
    model = tokenizer()
    objective = model.objective()
    assert objective.loss == model.loss
    assert objective.opponents == {}


def test_before_the_discriminator_s_first_turn_its_loss_is_that_without_it() -> None:
    plain, model = tokenizer(), tokenizer(weight=1, feature_weight=1)
    objective = model.objective()
    expected = plain.loss(packed(), generator(0))
    found = objective.loss(packed(), generator(0))
    assert torch.equal(found.total, expected.total)
    objective.opponents["discriminator"].loss(packed(), generator(1))
    after = objective.loss(packed(1), generator(0))
    assert {"adversarial", "perceptual"} <= {*after.parts}
    assert not torch.equal(after.total, plain.loss(packed(1), generator(0)).total)


def test_each_turn_has_gradients_of_its_own_module_alone() -> None:
    model = tokenizer(weight=1, feature_weight=1, adaptive=False)
    objective = model.objective()
    (opponent,) = objective.opponents.values()
    objective.loss(packed(), generator(0)).total.backward()
    model.zero_grad()
    codebook = {name: t.clone() for name, t in model.state_dict().items()}
    opponent.loss(packed(), generator(0)).total.backward()
    assert all(grad is not None for grad in gradients(opponent.module))
    assert all(grad is None for grad in gradients(model))
    assert all(torch.equal(codebook[name], t) for name, t in model.state_dict().items())
    opponent.module.zero_grad()
    objective.loss(packed(), generator(0)).total.backward()
    assert all(grad is None for grad in gradients(opponent.module))
    assert all(grad is not None for grad in gradients(model))


def test_the_pair_of_the_discriminator_is_that_of_the_same_step() -> None:
    model = tokenizer(weight=1)
    objective = model.objective()
    (opponent,) = objective.opponents.values()
    seen: list[Tensor] = []
    opponent.module.discriminator.register_forward_hook(lambda m, inputs, out: seen.append(inputs[0]))
    model.decoder.register_forward_hook(lambda m, inputs, out: seen.append(out.detach()))
    objective.loss(packed(), generator(0))
    opponent.loss(packed(3), generator(0))
    rebuilt, real, fake = seen
    assert torch.equal(fake, rebuilt)
    assert torch.equal(real, model._augmented(IMAGE.signal.normalize(packed()), generator(0), Rows(0, 6, 6)))


@pytest.mark.parametrize("name", LOSSES)
def test_the_perceptual_loss_is_the_mean_distance_of_activations(name: str) -> None:
    adversary = Adversary(AdversaryConfig(feature_weight=3, feature_loss=name, width=4), 3, axes=2)
    adversary.num_turns += 1
    signal, rebuilt = torch.randn(2, 5, 3, 16, 16, generator=generator(0)).unbind()
    rebuilt.requires_grad_()
    kernel = torch.ones(1)
    loss = adversary.tokenizer_loss(signal, rebuilt, torch.zeros(()), kernel)
    pairs = zip(adversary.discriminator(rebuilt)[:-1], adversary.discriminator(signal)[:-1])
    distances = [LOSSES[name](fake, real).mean() for fake, real in pairs]
    assert len(distances) == 3
    torch.testing.assert_close(loss.total, 3 * sum(distances) / 3)
    same = adversary.tokenizer_loss(signal, signal.clone(), torch.zeros(()), kernel)
    assert float(same.parts["perceptual"]) == pytest.approx(0, abs=1e-6)


def test_the_adversarial_loss_raises_the_scores_of_reconstructions() -> None:
    adversary = Adversary(AdversaryConfig(weight=2, adaptive=False, width=4), 3, axes=2)
    adversary.num_turns += 1
    signal, rebuilt = torch.randn(2, 5, 3, 16, 16, generator=generator(0)).unbind()
    loss = adversary.tokenizer_loss(signal, rebuilt, torch.zeros(()), torch.ones(1))
    torch.testing.assert_close(loss.total, -2 * adversary.discriminator(rebuilt)[-1].mean())


def test_a_discriminator_learns_to_tell_noise_from_means() -> None:
    torch.manual_seed(0)
    adversary = Adversary(AdversaryConfig(weight=1, width=8, num_layers=2), 1, axes=1)
    optimizer, losses = torch.optim.AdamW(adversary.parameters(), lr=1e-2), []
    for step in range(60):
        signal = torch.randn(32, 1, 16, generator=generator(0, step))
        smooth = torch.nn.functional.avg_pool1d(signal, 5, 1, 2)
        adversary.pairs = {0: (signal, smooth)}
        loss: Loss = adversary.loss(None, generator(0))
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        losses.append(float(loss.total.detach()))
    assert losses[0] > 0.7
    assert losses[-1] < 0.4
    assert loss.parts["real"] > 0 > loss.parts["fake"]


def test_settings() -> None:
    run = override(LoomRunConfig(), ["tokenizers.image.adversary.weight=0.8"])
    options = run.tokenizer_of("image", "image").options
    assert options.adversary == AdversaryConfig(weight=0.8)
    again = VQVAETokenizer.restore(VQVAETokenizer(IMAGE, SPEC, options).state())
    assert again.config == options
    for name, value in (("weight", -1), ("start", 2), ("learning_rate", 0), ("num_layers", 0)):
        with pytest.raises(BadValue, match=rf"adversary\.{name}"):
            AdversaryConfig(**{name: value})
    with pytest.raises(BadValue, match=r"adversary\.feature_loss"):
        AdversaryConfig(feature_loss="vgg")
