"""A diffusion model of table rows as a scikit-learn estimator."""

import hashlib
import math
from collections import deque

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from modaloom.core.errors import check_range
from modaloom.core.rng import generator
from modaloom.diffusion.gaussian import VariancePreserving
from modaloom.diffusion.prediction import PREDICTIONS, denoiser
from modaloom.diffusion.samplers.continuous.ddim import ddim
from modaloom.estimators.base import RowEstimator, Rows, checked_latents, draw_seed, seeded
from modaloom.estimators.descent import descend
from modaloom.estimators.optimizers import Optimizer, make_optimizer
from modaloom.networks.mlp import ResidualMLP
from modaloom.networks.time_conditioned import TIME_CHANNELS, TimeConditioned

PROCESS, PREDICTION = VariancePreserving(), PREDICTIONS["v"]
T_HALF = 0.5
"""The time at which ᾱ = ½."""


class DiffusionModel(RowEstimator):
    """Gaussian diffusion of table rows with v-prediction and deterministic (DDIM) sampling.

    The network is initialised at v = 0, the exact solution for independent normal columns.

    Args:
        latent_dim: width of the network's hidden layers, at least 1; larger for rows far from normal.
        steps: sampling steps from noise to data, at least 1.
        optimizer: adam, adamw, rmsprop, sgd, or a callable of the parameters.
        epochs: passes over the rows, at least 1.
        random_state: an int makes `fit` reproducible.
    """

    def __init__(
        self,
        latent_dim: int = 10,
        *,
        steps: int = 100,
        optimizer: Optimizer = "adam",
        epochs: int = 100,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.latent_dim = latent_dim
        self.steps = steps
        self.optimizer = optimizer
        self.epochs = epochs
        self.random_state = random_state

    def transform(self, X: ArrayLike) -> Rows:
        """Encode rows (n, columns) as noise (n, columns), about N(0, I), by DDIM inversion."""
        return self._integrate(self._standardize(self._validated(X)), 0, 1).numpy()

    def inverse_transform(self, X: ArrayLike) -> Rows:
        """Noise (n, columns) → rows (n, columns): inverts `transform` up to the discretisation error."""
        check_is_fitted(self)
        noise = checked_latents(X, self.n_features_in_, dtype=np.float64)
        return self._unstandardize(self._integrate(torch.from_numpy(noise), 1, 0))

    def predict(self, X: ArrayLike) -> Rows:
        """A variation of each row: noised until ᾱ = ½, then denoised deterministically.

        The noise of a row depends on the fitted seed and on that row alone.
        """
        rows = self._validated(X)
        clean = self._standardize(rows)
        noise = torch.stack([self._noise(row) for row in rows])
        level = PROCESS.level(torch.full((len(rows),), T_HALF, dtype=torch.float64), clean)
        return self._unstandardize(self._integrate(level.mix(clean, noise), T_HALF, 0))

    def sample(self, n_samples: int = 1, *, random_state: object = None) -> Rows:
        """Sample new rows (n_samples, columns)."""
        check_is_fitted(self)
        check_range("n_samples", n_samples, 1)
        blank = torch.empty(n_samples, self.n_features_in_, dtype=torch.float64)
        noise = PROCESS.prior(blank, generator=generator(draw_seed(random_state), "sample"))
        return self.inverse_transform(noise.numpy())

    def _fit_model(self, rows: Tensor, epochs: int) -> list[float]:
        check_range("latent_dim", self.latent_dim, 1)
        columns = rows.shape[1]
        with seeded(self.seed_):
            self.model_ = TimeConditioned(
                ResidualMLP(columns + TIME_CHANNELS, columns, width=self.latent_dim, blocks=2)
            ).double()
        optimizer = make_optimizer(self.optimizer, self.model_)
        return [*descend(self._loss, rows, optimizer, epochs=epochs, seed=self.seed_)]

    def _loss(self, batch: Tensor, randomness: torch.Generator) -> Tensor:
        t = torch.rand(len(batch), dtype=batch.dtype, generator=randomness)
        return PROCESS.loss(self.model_, PREDICTION, batch, t, generator=randomness).mean()

    def _noise(self, row: Rows) -> Tensor:
        name = hashlib.sha256(row.tobytes()).hexdigest()
        return PROCESS.prior(torch.from_numpy(row), generator=generator(self.seed_, "predict", name))

    def _integrate(self, state: Tensor, start: float, end: float) -> Tensor:
        check_range("steps", self.steps, 1)
        steps = math.ceil(self.steps * abs(end - start))
        times = torch.linspace(start, end, steps + 1, dtype=torch.float64)
        states = ddim(denoiser(self.model_, PROCESS, PREDICTION), PROCESS, state, times)
        return deque(states, maxlen=1).pop()

    @property
    def _n_features_out(self) -> int:
        return int(self.n_features_in_)
