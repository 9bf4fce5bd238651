"""How much the squared error of the clean data counts at each level.

A weight w here and a `Prediction` make the weight w · `prediction.gain` of the network's own squared error:
1 there is w = 1 / gain here.
"""

from torch import Tensor

from modaloom.core.errors import check_range
from modaloom.diffusion.level import NoiseLevel


def min_snr(level: NoiseLevel, *, gamma: float = 5.0) -> Tensor:
    """min(S, `gamma`): ε's own weight S where there is much noise, x0's where little.

    Hang et al. 2023 (arXiv 2303.09556, §3.4).
    """
    check_range("gamma", gamma, 0, open_low=True)
    return level.snr.clamp_max(gamma)


def edm(level: NoiseLevel, *, sigma_data: float = 1.0) -> Tensor:
    """(σ̂² + d²) / (σ̂ d)², σ̂ = σ/a, d the data's deviation; ∞ at data.

    Karras et al. 2022 (arXiv 2206.00364, table 1).
    """
    check_range("sigma_data", sigma_data, 0, open_low=True)
    return level.snr + sigma_data**-2
