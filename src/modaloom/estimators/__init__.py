"""A VQ-VAE and a diffusion model of table rows, with Keras's verbs and scikit-learn's."""

from importlib.util import find_spec

if find_spec("sklearn") is None:
    raise ImportError("modaloom.estimators needs scikit-learn: pip install 'modaloom[estimators]'")

from modaloom.estimators.diffusion import DiffusionModel
from modaloom.estimators.vqvae import VQVAE

__all__ = ["VQVAE", "DiffusionModel"]
