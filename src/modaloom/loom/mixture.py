"""Random choice of given streams, target streams and noise levels in a training step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.core.distributed import Rows
from modaloom.core.errors import check_range
from modaloom.core.types import CodeShape

LENGTH_PROB = 0.5
"""Fraction of the variable target streams at full noise whose length is the target, without their codes."""

GO_ON_PROB = 0.5
"""Fraction of the samples given in part of which everything after that part is wanted."""


@dataclass(frozen=True)
class TrainingMixture:
    """Distribution of the training tasks of a Loom."""

    wanted: tuple[str, ...] = ()
    """Streams that may be targets; empty: all. The others serve as conditions only and have no loss."""
    joint_prob: float = 0.1
    """Fraction of samples in which every stream is a target, each at its own noise level."""
    full_noise_prob: float = 0.25
    """Fraction of target streams at full noise (t = 1)."""
    noise_power: float = 0.4
    """The other noise levels are t = u^noise_power, u uniform: a power below 1 favours high noise."""
    uncond_prob: float = 0.1
    """Fraction of steps with a single stream, which train the unconditional model for guidance."""
    kept_prob: float = 0.0
    """Fraction of the samples of a target stream of which a part is given: all but a stretch along the first
    axis, so that it learns to go on and to fill gaps."""
    target_power: float = -0.25
    """A stream is the target with weight (number of codes)^target_power: below 0, short streams more often,
    because a sample of few codes provides little training signal; above 0, those that take long to learn."""

    def __post_init__(self) -> None:
        for name in ("joint_prob", "full_noise_prob", "uncond_prob", "kept_prob"):
            check_range(name, getattr(self, name), 0, 1)
        check_range("noise_power", self.noise_power, 0, open_low=True)
        check_range("target_power", self.target_power, -2, 2)


def draw_streams(
    shapes: Mapping[str, CodeShape], config: TrainingMixture, generator: torch.Generator
) -> list[str]:
    """Sample the streams of a step's canvas: a random subset with at least one possible target.

    Streams not in the subset cost no computation. The sampling weight is the fourth root of a stream's number
    of codes, because long streams carry more information. Sampling without replacement uses exponential keys
    (Efraimidis & Spirakis 2006): `torch.multinomial` took 27 ms for these few numbers on a CPU.
    """
    names = list(shapes)
    alone = torch.rand((), generator=generator) < config.uncond_prob
    least = 1 if alone or len(names) == 1 else 2
    most = 1 if alone else len(names)
    count = int(torch.randint(least, most + 1, (), generator=generator))
    keys = torch.rand(len(names), generator=generator).log() / _roots(shapes, 0.25)
    first = int(keys.masked_fill(~_wanted(names, config), -torch.inf).argmax())
    keys[first] = torch.inf
    return [names[i] for i in sorted(keys.topk(count).indices.tolist())]


def draw_noise(
    shapes: Mapping[str, CodeShape],
    present: Mapping[str, Tensor],
    config: TrainingMixture,
    generator: torch.Generator,
    rows: Rows,
) -> dict[str, Tensor]:
    """Sample float32 (B,) noise levels per stream: 0 for a given stream, in (0, 1] for a target.

    Most samples have one target among the streams that they have; a fraction `joint_prob` has all of them as
    targets. Levels are stratified over the batch, which lowers the variance
    of the loss (Kingma et al. 2021, arXiv 2107.00630, appendix I).

    Args:
        shapes: stream → code shape.
        present: stream of the canvas → bool (B,).
        config: the training mixture.
        generator: CPU generator.
        rows: where the B samples are in the whole batch, which is stratified.
    """
    names = list(present)
    here_BS = torch.stack([present[name].cpu() for name in names], 1)
    S, total = len(names), rows.total
    can_BS = (
        here_BS
        * _wanted(names, config)
        / _roots({name: shapes[name] for name in names}, -config.target_power)
    )
    odds_BS = can_BS.cumsum(1)
    drawn_B1 = rows.own(torch.rand(total, 1, generator=generator)) * odds_BS[:, -1:]
    wanted_B1 = (odds_BS <= drawn_B1).sum(1, keepdim=True)
    joint_B1 = rows.own(torch.rand(total, 1, generator=generator)) < config.joint_prob
    wanted_BS = (joint_B1 & (can_BS > 0)) | (torch.arange(S) == wanted_B1)
    start_1S = torch.rand(1, S, generator=generator)
    strata_BS = rows.own(torch.stack([torch.randperm(total, generator=generator) for _ in names], 1)) / total
    level_BS = (1 - (strata_BS + start_1S) % 1) ** config.noise_power
    full_BS = rows.own(torch.rand(total, S, generator=generator)) < config.full_noise_prob
    level_BS = torch.where(full_BS, 1.0, level_BS) * wanted_BS
    device = present[names[0]].device
    return {name: level_BS[:, i].to(device) for i, name in enumerate(names)}


def draw_lengths(t: Tensor, generator: torch.Generator, rows: Rows) -> Tensor:
    """bool (B,): where the length of a variable stream at t (B,) is the target and its codes are left out."""
    drawn = rows.own(torch.rand(rows.total, generator=generator)).to(t.device)
    return (t == 1) & (drawn < LENGTH_PROB)


def draw_kept(
    valid: Tensor, row_size: int, config: TrainingMixture, generator: torch.Generator, rows: Rows
) -> Tensor:
    """bool (B, L): which positions of a stream are given, of those that are valid (B, L), in rows of so many.

    In a fraction `kept_prob` of the samples all but a stretch of at least one row is given. It begins at any
    row; in a fraction `GO_ON_PROB` of these it reaches to the end, else to any later row.
    """
    if not config.kept_prob:  # nothing is drawn, so that other random numbers do not depend on it
        return torch.zeros_like(valid)
    drawn = rows.own(torch.rand(rows.total, 4, generator=generator)).to(valid.device)
    kept, goes_on, begin, end = drawn.unsqueeze(-1).unbind(1)
    lengths = valid.sum(1, keepdim=True) // row_size
    first = (begin * lengths).long()
    last = torch.where(goes_on < GO_ON_PROB, lengths, first + 1 + (end * (lengths - first)).long())
    row = torch.arange(valid.shape[1], device=valid.device) // row_size
    return (kept < config.kept_prob) & valid & ((row < first) | (row >= last))


def _roots(shapes: Mapping[str, CodeShape], power: float) -> Tensor:
    """float32 (S,): a power of each stream's number of codes."""
    return torch.tensor([shape.num_codes**power for shape in shapes.values()])


def _wanted(names: Sequence[str], config: TrainingMixture) -> Tensor:
    """bool (S,): which streams may be targets."""
    return torch.tensor([not config.wanted or name in config.wanted for name in names])
