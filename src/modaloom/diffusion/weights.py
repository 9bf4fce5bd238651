"""How much the squared error of the clean data counts at each level.

A weight w here and a `Prediction` make the weight w · `prediction.gain` of the network's own squared error:
1 there is w = 1 / gain here.
"""

from torch import Tensor

from modaloom.core.errors import check_range
from modaloom.diffusion.level import Level


def min_snr(level: Level, *, most: float = 5.0) -> Tensor:
    """min(S, `most`): ε's own weight S where there is much noise, x0's where little.

    Hang et al. 2023 (arXiv 2303.09556, §3.4).
    """
    check_range("most", most, 0, open_low=True)
    return level.snr.clamp_max(most)


def edm(level: Level, *, deviation: float = 1.0) -> Tensor:
    """(σ̂² + d²) / (σ̂ d)², σ̂ = σ/a, d the data's deviation; ∞ at data.

    Karras et al. 2022 (arXiv 2206.00364, table 1).
    """
    check_range("deviation", deviation, 0, open_low=True)
    return level.snr + deviation**-2
