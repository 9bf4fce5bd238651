"""Base class of the estimators: the scikit-learn methods, validation and standardisation.

Rows are float64 arrays (n, columns). The networks get them standardised and compute in float64, so that the
result for a row does not depend on the other rows.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self, final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from modaloom.core.errors import BadValue, check_choice, check_range
from modaloom.estimators.optimizers import Optimizer

Rows = NDArray[np.float64]


class RowEstimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC):
    """An unsupervised estimator of rows; `y` is accepted for compatibility and ignored."""

    optimizer: Optimizer
    epochs: int
    random_state: int | np.random.RandomState | None

    @final
    def compile(self, optimizer: Optimizer = "adam", loss: str = "mse") -> Self:
        """Set the optimizer. Both models are based on the MSE: raises `BadValue` for any other loss."""
        check_choice("loss", loss, ("mse",))
        return self.set_params(optimizer=optimizer)  # type: ignore[no-any-return]

    @final
    def fit(self, X: ArrayLike, y: object = None, *, epochs: int | None = None) -> Self:
        """Fit to rows (n, columns); `epochs` overrides the parameter of that name for this call.

        Sets `loss_curve_`, the mean loss of each epoch. Raises `ValueError` unless X is a finite table.
        """
        rows = validate_data(self, X, dtype=np.float64)
        epochs = self.epochs if epochs is None else epochs
        check_range("epochs", epochs, 1)
        self.scaler_ = StandardScaler().fit(rows)
        self.seed_ = draw_seed(self.random_state)
        self.loss_curve_ = self._fit_model(self._standardize(rows), epochs)
        return self

    @final
    def score(self, X: ArrayLike, y: object = None) -> float:
        """Minus the mean squared error of `predict(X)`, in the units of X."""
        rows = self._validated(X)
        return -float(np.square(self.predict(X) - rows).mean())

    @abstractmethod
    def predict(self, X: ArrayLike) -> Rows:
        """Rows (n, columns) → reconstructed rows (n, columns)."""

    @abstractmethod
    def _fit_model(self, rows: Tensor, epochs: int) -> list[float]:
        """Fit networks to standardised rows (n, columns); returns the mean loss of each epoch."""

    @final
    def _validated(self, X: ArrayLike) -> Rows:
        """X as rows of the fitted columns. Raises `NotFittedError` or `ValueError`."""
        check_is_fitted(self)
        rows: Rows = validate_data(self, X, dtype=np.float64, reset=False)
        return rows

    @final
    def _standardize(self, rows: Rows) -> Tensor:
        return torch.from_numpy(self.scaler_.transform(rows))

    @final
    def _unstandardize(self, rows: Tensor) -> Rows:
        values: Rows = self.scaler_.inverse_transform(rows.numpy())
        return values


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generator inside the context (for weight initialisation), restore it after."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def draw_seed(random_state: Any) -> int:
    """A 31-bit seed from a scikit-learn random state."""
    return int(check_random_state(random_state).randint(2**31))


def checked_latents(X: ArrayLike, columns: int, **options: Any) -> NDArray[Any]:
    """The argument of `inverse_transform` as an array (n, columns). Raises `BadValue` for another width."""
    latents: NDArray[Any] = check_array(X, **options)
    if latents.shape[1] != columns:
        raise BadValue(f"X has {latents.shape[1]} columns; it must have {columns}, as `transform` returns")
    return latents
