"""Four families of generative models of rows, at equal parameters."""

from collections.abc import Callable

from budget import parameters

from rivals.base import Rival
from rivals.diffusion import Diffusion
from rivals.gan import GAN
from rivals.vae import VAE
from rivals.vq import VQPrior

RIVALS: dict[str, Callable[[int, int], Rival]] = {
    "VAE": VAE,
    "GAN": GAN,
    "VQ + prior": VQPrior,
    "diffusion": Diffusion,
}
"""Family → a model of so many columns and of so much width."""
WIDTHS = range(8, 512, 4)


def sized(name: str, columns: int, count: int) -> Rival:
    """The model of a family whose number of parameters is nearest to `count`."""
    last = None
    for model in (RIVALS[name](columns, width) for width in WIDTHS):
        if last and parameters(model) >= count:
            return min(last, model, key=lambda one: abs(parameters(one) - count))
        last = model
    raise ValueError(f"no {name} of width {WIDTHS[-1]} or less has {count} parameters")
