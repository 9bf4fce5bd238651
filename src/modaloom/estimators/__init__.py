"""A VQ-VAE and a diffusion model of tabular data, as scikit-learn estimators with Keras-like methods."""

from importlib.util import find_spec

if find_spec("sklearn") is None:
    raise ImportError("modaloom.estimators needs scikit-learn: pip install 'modaloom[estimators]'")

from modaloom.estimators.diffusion import DiffusionModel
from modaloom.estimators.vqvae import VQVAE

__all__ = ["VQVAE", "DiffusionModel"]
