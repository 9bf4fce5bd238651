"""Adversarial training of a tokenizer (VQGAN, Esser et al. 2020, arXiv 2012.09841), and a perceptual loss on
the discriminator's activations.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.errors import check_choice, check_range
from modaloom.core.types import Loss
from modaloom.networks.patch_discriminator import PatchDiscriminator
from modaloom.tokenizers.losses import LOSSES

MAX_ADAPTIVE_WEIGHT = 1e4


@dataclass(frozen=True)
class AdversaryConfig:
    """A discriminator beside a tokenizer, dropped after its training; off while both weights are 0."""

    weight: float = 0.0
    """Weight of the hinge loss of the reconstruction, at least 0; VQGAN has 0.8."""
    adaptive: bool = True
    """Whether that weight is multiplied by the ratio of the gradients of both losses (`adaptive_weight`)."""
    feature_weight: float = 0.0
    """Weight of the perceptual loss: the distance of signal and reconstruction in the discriminator's
    activations (Larsen et al. 2015, arXiv 1512.09300), averaged over its layers; at least 0."""
    feature_loss: str = "l1"
    """The distance of activations, an entry of `LOSSES`; l1 is pix2pixHD's (arXiv 1711.11585, eq. 4)."""
    start: float = 0.5
    """Fraction of the steps after which the discriminator begins, in [0, 1]; not before the learning rate
    decays, and the tokenizer follows one step later."""
    width: int = 32
    """Channels of the discriminator's first layer."""
    num_layers: int = 3
    """Strided layers of the discriminator."""
    learning_rate: float = 1e-3
    """Peak learning rate of the discriminator, in (0, 10]."""

    def __post_init__(self) -> None:
        for name in ("weight", "feature_weight"):
            check_range(f"adversary.{name}", getattr(self, name), 0)
        check_choice("adversary.feature_loss", self.feature_loss, LOSSES)
        check_range("adversary.start", self.start, 0, 1)
        check_range("adversary.width", self.width, 1)
        check_range("adversary.num_layers", self.num_layers, 1)
        check_range("adversary.learning_rate", self.learning_rate, 0, 10, open_low=True)

    @property
    def enabled(self) -> bool:
        """Whether there is a discriminator."""
        return self.weight > 0 or self.feature_weight > 0


class Adversary(nn.Module):
    """A discriminator and both losses: that of the tokenizer's turn, then its own on the same pair.

    Args:
        config: weights, and size of the discriminator.
        channels: C of the signals.
        axes: 1, 2 or 3.
    """

    num_turns: Tensor

    def __init__(self, config: AdversaryConfig, channels: int, *, axes: int) -> None:
        super().__init__()
        self.config, self.feature_loss = config, LOSSES[config.feature_loss]
        self.discriminator = PatchDiscriminator(channels, config.width, config.num_layers, axes=axes)
        self.register_buffer("num_turns", torch.zeros((), dtype=torch.int64))
        self.pairs: dict[int, tuple[Tensor, Tensor]] = {}
        """Micro-batch → signal and reconstruction of the tokenizer's last turn."""

    def tokenizer_loss(
        self,
        signal: Tensor,
        rebuilt: Tensor,
        error: Tensor,
        last_kernel: Tensor,
        distributed: Distributed = SINGLE_PROCESS,
    ) -> Loss:
        """What the tokenizer's loss gets in addition; nothing before the discriminator's first turn.

        Args:
            signal: float (B, C, *axes).
            rebuilt: its reconstruction, with gradient.
            error: the reconstruction loss, a scalar with gradient.
            last_kernel: weights of the tokenizer's last layer.
            distributed: whose rows count, with those of this rank.
        """
        self.pairs[distributed.micro_batch] = signal.detach(), rebuilt.detach()
        if self.num_turns == 0:
            return Loss(error.new_zeros(()))
        weights = {name: p.detach() for name, p in self.discriminator.named_parameters()}
        *fake, scores = functional_call(self.discriminator, weights, (rebuilt,))
        with torch.no_grad():
            *real, _ = self.discriminator(signal)
        hinge = -distributed.mean(scores.flatten(1).mean(1))
        features = torch.stack(
            [distributed.mean(self.feature_loss(f.float(), r.float())) for f, r in zip(fake, real)]
        ).mean()
        weight: Tensor | float = self.config.weight
        if weight and self.config.adaptive:
            weight = weight * adaptive_weight(error, hinge, last_kernel, distributed)
        parts = {"adversarial": hinge.detach(), "perceptual": features.detach()}
        return Loss(weight * hinge + self.config.feature_weight * features, parts)

    def loss(
        self, batch: object, generator: torch.Generator, distributed: Distributed = SINGLE_PROCESS
    ) -> Loss:
        """The discriminator's hinge loss on the pair of the tokenizer's turn, whatever the batch."""
        pair = self.pairs[distributed.micro_batch]
        real, fake = (self.discriminator(signal)[-1].flatten(1) for signal in pair)
        self.num_turns += not distributed.micro_batch
        parts = {"real": real, "fake": fake}
        logged = {name: distributed.mean(scores.mean(1)).detach() for name, scores in parts.items()}
        return Loss(distributed.mean(hinge_loss(real, fake)), logged)


def hinge_loss(real: Tensor, fake: Tensor) -> Tensor:
    """½ (mean max(0, 1 − real) + mean max(0, 1 + fake)) of scores (B, n) (Lim & Ye 2017, arXiv 1705.02894).

    Returns:
        (B,).
    """
    return ((1 - real).relu().mean(1) + (1 + fake).relu().mean(1)) / 2


def adaptive_weight(
    error: Tensor, adversarial: Tensor, last_kernel: Tensor, distributed: Distributed = SINGLE_PROCESS
) -> Tensor:
    """‖∇ error‖ / (‖∇ adversarial‖ + 1e-6) at the last layer, at most 1e4 (VQGAN, eq. 7); a constant."""
    gradients = (torch.autograd.grad(x, last_kernel, retain_graph=True)[0] for x in (error, adversarial))
    norms = [distributed.sum(gradient).norm() for gradient in gradients]
    ratio: Tensor = norms[0] / (norms[1] + 1e-6)
    return ratio.clamp(max=MAX_ADAPTIVE_WEIGHT).detach()
