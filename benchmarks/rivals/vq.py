"""A VQ-VAE with a prior over its codes: modaloom's autoencoder of rows, and a Loom of one stream."""

import torch
from budget import Budget, Descent
from torch import Tensor

from modaloom.core.rng import generator as derived
from modaloom.core.types import CodeShape
from modaloom.diffusion.noise import Noise
from modaloom.estimators.autoencoder import Autoencoder
from modaloom.loom.config import CodeSamplingConfig, LoomConfig
from modaloom.loom.loom import Loom
from modaloom.quantizers import build
from rivals.base import Rival, batch

ROW = "row"
LATENT, SIZE, DEPTH = 12, 64, 4
"""Width of a code's vector, codebook size, and number of residual quantizers."""
HEADS, BLOCKS = 4, 2
SHARE = 0.4
"""Of the budget, the autoencoder's."""


class VQPrior(Rival):
    """Rows → DEPTH residual codes, sampled coarse to fine by masked diffusion."""

    def __init__(self, columns: int, width: int) -> None:
        super().__init__()
        quantizer = build("vq", LATENT, SIZE, DEPTH, codebook="gradient")
        self.autoencoder = Autoencoder(columns, quantizer)
        shape, config = (
            CodeShape((1,), DEPTH, SIZE),
            LoomConfig(width=width, num_layers=BLOCKS, num_heads=HEADS),
        )
        self.prior = Loom({ROW: shape}, {ROW: ROW}, {}, config)

    def learn(self, rows: Tensor, budget: Budget, *, seed: int) -> int:
        first, second = budget.split(SHARE)
        return self.learn_codes(rows.double(), first, seed=seed) + self.learn_prior(rows, second, seed=seed)

    def learn_codes(self, rows: Tensor, budget: Budget, *, seed: int) -> int:
        """Autoencoder and codebooks."""
        self.autoencoder.initialize(rows, generator=derived(seed, "start"))

        def loss(rng: torch.Generator) -> Tensor:
            return self.autoencoder.loss(batch(rows, rng), 1.0, generator=rng)

        return len(Descent().run(self.autoencoder, loss, budget, seed=seed))

    def learn_prior(self, rows: Tensor, budget: Budget, *, seed: int) -> int:
        """The Loom over the codes of the rows."""
        codes = self.autoencoder.encode(rows.double())[:, None]

        def loss(rng: torch.Generator) -> Tensor:
            picked = batch(codes, rng)
            return self.prior.loss({ROW: picked}, {ROW: torch.ones(len(picked), dtype=torch.bool)}, rng).total

        return len(Descent(rate=2e-3).run(self.prior, loss, budget, seed=seed))

    def sample(self, n: int, *, generator: torch.Generator) -> Tensor:
        sampled = self.prior.sample(
            self.prior.canvas({}, [ROW], n), CodeSamplingConfig(steps=DEPTH), Noise([generator], each=n)
        )
        return self.autoencoder.decode(sampled[ROW][:, 0]).float()
