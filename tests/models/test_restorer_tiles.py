"""Signals larger than a tile, drawn by tiles: the walk of the whole."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from modaloom.models.restoration import Drawing, RestorerConfig
from modaloom.networks.local import LocalConfig
from modaloom.networks.tiled import Tiled
from modaloom.runs.restorers import Restoration, RestorerPlan, build_restorer, pack_restorer, unpack_restorer
from modaloom.tasks import TASKS, Signals
from modaloom.tasks.asking import answered

TILE, SIDES = 16, (41, 35)


def restoration(**how: object) -> Restoration:
    """A run's Restorer with stirred weights, which repairs JPEG; its network sees the whole."""
    config = RestorerConfig(local=LocalConfig(width=8, blocks=1), **how)  # type: ignore[arg-type]
    want = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
    pair = TASKS["jpeg"].pair(Signals(want), TASKS["jpeg"].options(), torch.Generator())
    plan = RestorerPlan("jpeg", ("image",), "image", None).asking(pair)
    restorer, draw = build_restorer(plan, config, seed=0), torch.Generator().manual_seed(1)
    for parameter in restorer.parameters():
        nn.init.normal_(parameter, std=0.05, generator=draw)
    restorer.measure([pair])
    return Restoration(plan, config, restorer.eval())


@pytest.mark.parametrize("sampler", ["ddim", "dpm", "heun", "sde_dpm", "ddpm"])
def test_a_walk_by_tiles_is_that_of_the_whole(sampler: str) -> None:
    whole, tiled = restoration(), unpack_restorer(pack_restorer(restoration()))
    assert isinstance(tiled.restorer.network, Tiled)
    tiled.restorer.network.tile = TILE
    assert_equal(whole, tiled, Drawing(sampler=sampler, steps=6))


def test_leaps_by_tiles_are_those_of_the_whole() -> None:
    how = {"leaps": 0.5, "process": "flow", "prediction": "velocity"}
    whole, tiled = restoration(**how), unpack_restorer(pack_restorer(restoration(**how)))
    assert isinstance(tiled.restorer.network, Tiled)
    tiled.restorer.network.tile = TILE
    assert_equal(whole, tiled, Drawing(steps=3))


def assert_equal(whole: Restoration, tiled: Restoration, drawing: Drawing) -> None:
    """To 1e-4 of what signals span, at a size that no tile divides; another seed is another draw."""
    given = Signals(given=torch.rand(3, *SIDES, generator=torch.Generator().manual_seed(2)))
    task = replace(TASKS["jpeg"], finish=lambda restored, signals, options: restored)
    a, b, other = (
        answered(found.restorer, task, given, whole.options, mode="sample", drawing=drawing, seed=seed)
        for found, seed in ((whole, 3), (tiled, 3), (tiled, 4))
    )
    assert (b - other).abs().mean() > 0.01
    torch.testing.assert_close(b, a, rtol=0, atol=1e-4)
