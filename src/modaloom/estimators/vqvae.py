"""A VQ-VAE of table rows as a scikit-learn estimator."""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from modaloom.core.errors import BadValue, check_range
from modaloom.core.rng import generator
from modaloom.estimators.autoencoder import Autoencoder
from modaloom.estimators.base import RowEstimator, Rows, checked_latents, seeded
from modaloom.estimators.descent import descend
from modaloom.estimators.optimizers import Optimizer, make_optimizer
from modaloom.quantizers import build


class VQVAE(RowEstimator):
    """A vector-quantized autoencoder of table rows (van den Oord et al. 2017, arXiv 1711.00937).

    Minimises ‖x − x′‖² + λ (‖sg[z] − e‖² + β‖z − sg[e]‖²), means over values, on standardised columns.
    Without a prior over the codes it is no generative model: `sample` resamples the training rows' codes.

    Args:
        latent_dim: D, the width of a code vector, at least 1.
        codebook_size: K, codes per depth, at least 1.
        num_quantizers: Q, codes per row (residual depth), at least 1.
        commitment: β, at least 0.
        quantization_weight: λ, at least 0.
        optimizer: adam, adamw, rmsprop, sgd, or a callable of the parameters.
        epochs: passes over the rows, at least 1.
        random_state: an int makes `fit` reproducible.
    """

    def __init__(
        self,
        latent_dim: int = 10,
        codebook_size: int = 10,
        *,
        num_quantizers: int = 1,
        commitment: float = 0.25,
        quantization_weight: float = 1.0,
        optimizer: Optimizer = "adam",
        epochs: int = 50,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.latent_dim = latent_dim
        self.codebook_size = codebook_size
        self.num_quantizers = num_quantizers
        self.commitment = commitment
        self.quantization_weight = quantization_weight
        self.optimizer = optimizer
        self.epochs = epochs
        self.random_state = random_state

    def transform(self, X: ArrayLike) -> NDArray[np.int64]:
        """Rows (n, columns) → codes int64 (n, num_quantizers), each in 0..codebook_size − 1."""
        rows = self._validated(X)
        codes: NDArray[np.int64] = self.model_.encode(self._standardize(rows)).numpy()
        return codes

    def inverse_transform(self, X: ArrayLike) -> Rows:
        """Codes (n, num_quantizers) → rows (n, columns). Raises `BadValue` for values that are no codes."""
        check_is_fitted(self)
        values = checked_latents(X, self.codes_.shape[1], dtype=None)
        codes = values.astype(np.int64)
        size = self.model_.quantizer.codebook_sizes[0]
        if (codes != values).any() or codes.min() < 0 or codes.max() >= size:
            raise BadValue(f"X has values that are no codes; they must be integers in 0..{size - 1}")
        return self._unstandardize(self.model_.decode(torch.from_numpy(codes)))

    def predict(self, X: ArrayLike) -> Rows:
        """The reconstruction: rows → codes → rows."""
        return self.inverse_transform(self.transform(X))

    def sample(self, n_samples: int = 1, *, random_state: object = None) -> Rows:
        """Rows (n_samples, columns) decoded from codes of random training rows."""
        check_is_fitted(self)
        check_range("n_samples", n_samples, 1)
        chosen = check_random_state(random_state).randint(len(self.codes_), size=n_samples)
        return self.inverse_transform(self.codes_[chosen])

    def _fit_model(self, rows: Tensor, epochs: int) -> list[float]:
        check_range("quantization_weight", self.quantization_weight, 0)
        # With a gradient-trained codebook, λ weights both terms of the quantizer's loss.
        options = {"codebook": "gradient", "commitment": self.commitment}
        quantizer = build("vq", self.latent_dim, self.codebook_size, self.num_quantizers, **options)
        with seeded(self.seed_):
            self.model_ = Autoencoder(rows.shape[1], quantizer)
        self.model_.initialize(rows, generator=generator(self.seed_, "start"))
        optimizer = make_optimizer(self.optimizer, self.model_)
        losses = [*descend(self._loss, rows, optimizer, epochs=epochs, seed=self.seed_)]
        self.model_.eval()
        self.codes_ = self.model_.encode(rows).numpy()
        return losses

    def _loss(self, batch: Tensor, randomness: torch.Generator) -> Tensor:
        return self.model_.loss(batch, self.quantization_weight, generator=randomness)

    @property
    def _n_features_out(self) -> int:
        return int(self.codes_.shape[1])

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
