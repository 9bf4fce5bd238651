"""Loss weights on the squared error of the clean data, by noise level.

The equivalent weight on the squared error of the network's output is w · `prediction.gain`.
"""

from torch import Tensor

from modaloom.core.errors import check_range
from modaloom.diffusion.level import NoiseLevel


def min_snr(level: NoiseLevel, *, gamma: float = 5.0) -> Tensor:
    """Min-SNR weighting, min(S, `gamma`), `gamma` > 0 (Hang et al. 2023, arXiv 2303.09556, §3.4)."""
    check_range("gamma", gamma, 0, open_low=True)
    return level.snr.clamp_max(gamma)


def edm(level: NoiseLevel, *, sigma_data: float = 1.0) -> Tensor:
    """EDM's weighting, (σ̂² + d²) / (σ̂ d)² with σ̂ = σ/a and d = `sigma_data` > 0; ∞ at data.

    Karras et al. 2022 (arXiv 2206.00364, table 1).
    """
    check_range("sigma_data", sigma_data, 0, open_low=True)
    return level.snr + sigma_data**-2
