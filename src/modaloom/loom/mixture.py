"""Who is given and who is wanted in a training step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.core.errors import check_range
from modaloom.core.types import CodeShape


@dataclass(frozen=True)
class TrainingMixture:
    """The mixture of questions that a Loom practises."""

    wanted: tuple[str, ...] = ()
    """Streams that are ever wanted; empty: all. The others are only given, and cost no learning."""
    joint_prob: float = 0.1
    """Share of samples in which every stream is wanted, each at its own noise level."""
    full_noise_prob: float = 0.25
    """Share of wanted streams that start from nothing (t = 1)."""
    noise_power: float = 0.4
    """The others' levels are uniform numbers to this power: below 1, more of them lie near noise."""
    uncond_prob: float = 0.1
    """Share of steps whose canvas holds one stream: the unconditional model that guidance needs."""

    def __post_init__(self) -> None:
        for name in ("joint_prob", "full_noise_prob", "uncond_prob"):
            check_range(name, getattr(self, name), 0, 1)
        check_range("noise_power", self.noise_power, 0, open_low=True)


def draw_streams(
    shapes: Mapping[str, CodeShape], config: TrainingMixture, generator: torch.Generator
) -> list[str]:
    """The streams of a step's canvas: a random subset with a wanted one, so that a step costs what it shows.

    Streams of many codes, which have most to tell, are shown more often: by the fourth root of their number.
    Drawn without replacement by exponential keys (Efraimidis & Spirakis 2006): `torch.multinomial` took 27 ms
    for these few numbers on a CPU.
    """
    names = list(shapes)
    alone = torch.rand((), generator=generator) < config.uncond_prob
    least = 1 if alone or len(names) == 1 else 2
    most = 1 if alone else len(names)
    count = int(torch.randint(least, most + 1, (), generator=generator))
    keys = torch.rand(len(names), generator=generator).log() / _roots(shapes)
    first = int(keys.masked_fill(~_wanted(names, config), -torch.inf).argmax())
    keys[first] = torch.inf
    return [names[i] for i in sorted(keys.topk(count).indices.tolist())]


def draw_noise(
    shapes: Mapping[str, CodeShape],
    present: Mapping[str, Tensor],
    config: TrainingMixture,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """float32 (B,) noise levels: 0 for a given stream, in (0, 1] for a wanted one.

    Most samples want one of the streams that they have; a share wants them all. Short streams are wanted more
    often, by the inverse fourth root of their number of codes: a row of few codes teaches little. Levels are
    stratified over the batch, which lowers the loss's variance (Kingma et al. 2021, arXiv 2107.00630,
    appendix I).
    """
    names = list(present)
    here_BS = torch.stack([present[name].cpu() for name in names], 1)
    B, S = here_BS.shape
    can_BS = here_BS * _wanted(names, config) / _roots({name: shapes[name] for name in names})
    odds_BS = can_BS.cumsum(1)
    drawn_B1 = torch.rand(B, 1, generator=generator) * odds_BS[:, -1:]
    wanted_B1 = (odds_BS <= drawn_B1).sum(1, keepdim=True)
    joint_B1 = torch.rand(B, 1, generator=generator) < config.joint_prob
    wanted_BS = (joint_B1 & (can_BS > 0)) | (torch.arange(S) == wanted_B1)
    start_1S = torch.rand(1, S, generator=generator)
    strata_BS = torch.stack([torch.randperm(B, generator=generator) for _ in names], 1) / B
    level_BS = (1 - (strata_BS + start_1S) % 1) ** config.noise_power
    full_BS = torch.rand(B, S, generator=generator) < config.full_noise_prob
    level_BS = torch.where(full_BS, 1.0, level_BS) * wanted_BS
    device = present[names[0]].device
    return {name: level_BS[:, i].to(device) for i, name in enumerate(names)}


def _roots(shapes: Mapping[str, CodeShape]) -> Tensor:
    """float32 (S,): the fourth root of each stream's number of codes."""
    return torch.tensor([shape.num_codes**0.25 for shape in shapes.values()])


def _wanted(names: Sequence[str], config: TrainingMixture) -> Tensor:
    """bool (S,)."""
    return torch.tensor([not config.wanted or name in config.wanted for name in names])
