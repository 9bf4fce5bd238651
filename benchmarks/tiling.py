"""Peak memory of the process while restoring a large picture by tiles.

python benchmarks/tiling.py [--width 4000 --height 3000] [--tile 256] [--json figures.json]

Every mode runs in its own process. By default the network is narrow, so that the picture is large but the
computation is not; `--channels 96 --blocks 5` is the one of benchmarks/restore.py.
"""

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable
from pathlib import Path

import torch
from figures import Target, publish
from torch import Tensor

from modaloom.core.counter_rng import counter_noise
from modaloom.diffusion.gaussian import VariancePreserving
from modaloom.diffusion.prediction import PREDICTIONS
from modaloom.networks.local_resnet import LocalResNet, LocalResNetConfig
from modaloom.networks.tiled import TiledNetwork
from modaloom.restorer.example import as_batch
from modaloom.restorer.restorer import Restorer
from modaloom.restorer.tasks import TASKS, Signals

STEPS = 2
"""Of the sampler: memory does not depend on their number."""
TARGETS = [Target("peak, GB", 2, "≤"), Target("seconds")]


def mean(restorer: Restorer, picture: Tensor) -> Tensor:
    task, options = TASKS["denoise"], TASKS["denoise"].options()
    signals = Signals(input=picture)
    example = task.build_condition(signals, options)
    return task.finalize(restorer.mean(as_batch(example))[0], example, signals, options)


def sample(restorer: Restorer, picture: Tensor) -> Tensor:
    task, options = TASKS["denoise"], TASKS["denoise"].options()
    signals = Signals(input=picture)
    example = task.build_condition(signals, options)
    noise = counter_noise(0, picture.shape)[None]
    found = restorer.sample(as_batch(example), noise, torch.linspace(1, 0, STEPS + 1))
    return task.finalize(found[0], example, signals, options)


MODES: dict[str, Callable[[Restorer, Tensor], Tensor]] = {"mean": mean, "sample": sample}


def measured(name: str, options: argparse.Namespace) -> dict[str, float]:
    """Restores noise of the picture's size; returns the process's peak memory and the time."""
    torch.manual_seed(0)
    net = LocalResNet(
        3,
        LocalResNetConfig(options.channels, options.blocks),
        axes=2,
        condition_channels=4,
        context_features=1,
    )
    torch.nn.init.normal_(net.last.weight, std=0.1)
    restorer = Restorer(TiledNetwork(net, options.tile), VariancePreserving(), PREDICTIONS["v"]).eval()
    picture, start = torch.rand(3, options.height, options.width), time.monotonic()
    MODES[name](restorer, picture)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"peak, GB": peak * 1024 / 1e9, "seconds": time.monotonic() - start}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--width", type=int, default=4000)
    parser.add_argument("--height", type=int, default=3000)
    parser.add_argument("--tile", type=int, default=256)
    parser.add_argument("--channels", type=int, default=16)
    parser.add_argument("--blocks", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    columns = {}
    for name in MODES:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            columns[name] = pool.apply(measured, (name, options))
    publish(TARGETS, columns, options.json)


if __name__ == "__main__":
    main()
