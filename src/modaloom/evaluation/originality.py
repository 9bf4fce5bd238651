"""Whether draws are new, and whether they are as varied as data: distances between points."""

import torch
from torch import Tensor

from modaloom.evaluation.figure import Share, Statistic
from modaloom.evaluation.judge import Figures
from modaloom.evaluation.nearest import nearest

NEAR = 0.05
"""Share of real held-out samples that lie as near to a training sample as a draw that counts as a copy."""
NEIGHBOURS = 5
"""Real samples in the ball around a real sample that a draw has to fall into; the paper's choice."""


def originality(drawn: Tensor, real: Tensor, train: Tensor) -> Figures:
    """Figures of n draws (n, D) beside as many real held-out points (n, D) and training points (N, D).

    `novelty`: median distance to the nearest training point, over that of real held-out ones: about 1 for new
    samples, 0 for copies. `copies`: the share of draws nearer to a training point than all but `NEAR` of
    the real ones are. `coverage`: the share of real points with a draw among their `NEIGHBOURS` nearest real
    ones (Naeem et al. 2020, arXiv 2002.09797, eq. 4), over real points.

    What cannot be told is left out: the first two where real samples are copies themselves, the last one
    where there are too few.
    """
    usual, here = nearest(real, train).distance, nearest(drawn, train).distance
    figures: dict[str, Share | Statistic] = {}
    if float(usual.median()) > 0:
        figures["novelty"] = Statistic(torch.stack([here, usual], 1), _median_ratio)
        figures["copies"] = Share(here < usual.quantile(NEAR))
    if len(real) > NEIGHBOURS:
        figures["coverage"] = Share(covered(drawn, real))
    return figures


def covered(drawn: Tensor, real: Tensor, *, neighbours: int = NEIGHBOURS) -> Tensor:
    """bool (n,): whether some draw is at most as far from a real point as its k-th nearest other real one."""
    between = torch.cdist(real, real).fill_diagonal_(torch.inf)
    radius = between.kthvalue(neighbours, dim=1).values
    return torch.cdist(real, drawn).amin(1) <= radius


def _median_ratio(distances: Tensor) -> Tensor:
    here, usual = distances.median(1).values.unbind(-1)
    return here / usual
