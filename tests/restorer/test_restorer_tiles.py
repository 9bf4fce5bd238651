"""Signals larger than a tile, drawn by tiles: the walk of the whole."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from modaloom.networks.local_resnet import LocalResNetConfig
from modaloom.networks.tiled import TiledNetwork
from modaloom.restorer.config import RestorerConfig, SignalSamplingConfig
from modaloom.restorer.files import Restoration, RestorerPlan, build_restorer, pack_restorer, unpack_restorer
from modaloom.restorer.inference import run_task
from modaloom.restorer.tasks import TASKS, Signals

TILE, SIDES = 16, (41, 35)


def restoration(**how: object) -> Restoration:
    """A run's Restorer with stirred weights, which repairs JPEG; its network sees the whole."""
    config = RestorerConfig(local=LocalResNetConfig(width=8, num_res_blocks=1), **how)  # type: ignore[arg-type]
    want = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
    pair = TASKS["jpeg"].make_example(Signals(want), TASKS["jpeg"].options(), torch.Generator())
    plan = RestorerPlan("jpeg", ("image",), "image", None).with_input_shape(pair)
    restorer, draw = build_restorer(plan, config, seed=0), torch.Generator().manual_seed(1)
    for parameter in restorer.parameters():
        nn.init.normal_(parameter, std=0.05, generator=draw)
    restorer.fit_normalizer([pair])
    return Restoration(plan, config, restorer.eval())


@pytest.mark.parametrize("sampler", ["ddim", "dpmpp_2m", "heun", "dpmpp_2m_sde", "ddpm"])
def test_a_walk_by_tiles_is_that_of_the_whole(sampler: str) -> None:
    whole, tiled = restoration(), unpack_restorer(pack_restorer(restoration()))
    assert isinstance(tiled.restorer.network, TiledNetwork)
    tiled.restorer.network.tile = TILE
    assert_equal(whole, tiled, SignalSamplingConfig(sampler=sampler, steps=6))


def test_leaps_by_tiles_are_those_of_the_whole() -> None:
    how = {"mean_flow_prob": 0.5, "process": "flow", "prediction": "velocity"}
    whole, tiled = restoration(**how), unpack_restorer(pack_restorer(restoration(**how)))
    assert isinstance(tiled.restorer.network, TiledNetwork)
    tiled.restorer.network.tile = TILE
    assert_equal(whole, tiled, SignalSamplingConfig(steps=3))


def assert_equal(whole: Restoration, tiled: Restoration, sampling: SignalSamplingConfig) -> None:
    """To 1e-4 of what signals span, at a size that no tile divides; another seed is another draw."""
    given = Signals(input=torch.rand(3, *SIDES, generator=torch.Generator().manual_seed(2)))
    task = replace(TASKS["jpeg"], postprocess=lambda restored, signals, options: restored)
    a, b, other = (
        run_task(found.restorer, task, given, whole.options, mode="sample", sampling=sampling, seed=seed)
        for found, seed in ((whole, 3), (tiled, 3), (tiled, 4))
    )
    assert (b - other).abs().mean() > 0.01
    torch.testing.assert_close(b, a, rtol=0, atol=1e-4)
