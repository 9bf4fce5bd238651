"""A small real stage: Muon and AdamW parameters, a convolution, an EMA codebook, noise. And a way to run it.

`python toy_stage.py FOLDER` trains (or resumes) two of them and prints a line a step.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.rng import generator
from modaloom.core.types import Loss
from modaloom.loom.config import LoomRunConfig, LoomTrainingConfig
from modaloom.runs.config import OptimizerConfig
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.batch_sampler import BatchSampler
from modaloom.training.loop import Stage
from modaloom.training.stages import StagePlan, run_stages


class Toy(nn.Module):
    """Quantizes what a convolution and a hidden matrix make of a picture, and rebuilds it."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.hidden = nn.Linear(64, 16)
        self.out = nn.Linear(16, 16)
        self.register_buffer("codebook", torch.zeros(8, 16))
        self.codebook: Tensor
        draw = generator(seed, "toy")
        for p in self.parameters():
            nn.init.normal_(p, std=0.2, generator=draw)

    def hidden_matrices(self) -> list[nn.Parameter]:
        return [self.hidden.weight]

    def loss(
        self, batch: dict[str, Tensor], noise: torch.Generator, ranks: Distributed = SINGLE_PROCESS
    ) -> Loss:
        x = batch["image"] + 0.1 * torch.randn(batch["image"].shape, generator=noise)
        z = self.hidden(self.conv(x).flatten(1)).float()
        with torch.no_grad():
            codes = torch.cdist(z, self.codebook).argmin(1)
            self.codebook.index_copy_(0, codes, self.codebook[codes].lerp(z, 0.1))
        rebuilt = self.out(z + (self.codebook[codes] - z).detach())
        error = (rebuilt - batch["image"].flatten(1)).square().mean()
        return Loss(error + 0.1 * z.square().mean(), {"error": error.detach()})


def stage(name: str, *, seed: int = 0, slow: float = 0.0, size: int = 7) -> Stage:
    module = Toy(seed)
    images = torch.randn(40, 1, 4, 4, generator=generator(seed, "data"))
    order = BatchSampler(len(images), size, seed, name)

    def batch(step: int) -> dict[str, Tensor]:
        time.sleep(slow)
        return {"image": images[order(step)]}

    return Stage(name, module, batch, module.loss, OptimizerConfig(), size)


def config(steps: int = 25, **training: object) -> LoomRunConfig:
    frozen = {"tokenizer": steps, "loom": steps}
    return replace(LoomRunConfig(), training=LoomTrainingConfig(steps=frozen, **training))  # type: ignore[arg-type]


def plans(slow: float = 0.0) -> list[StagePlan]:
    return [
        StagePlan(lambda n=name, i=i: stage(n, seed=i, slow=slow))
        for i, name in enumerate(("tokenizer", "loom"))
    ]


def fingerprint(folder: RunFolder) -> list[str]:
    """The manifests of the final checkpoints: SHA-256 of weights, buffers, average and optimizer."""
    texts = []
    for name, steps in folder.run().training.steps.items():
        last = folder.checkpoints(name) / f"step-{steps:06d}"
        texts.append((last / "manifest.json").read_text())
    return texts


def main(path: Path) -> None:
    torch.set_num_threads(1)
    with RunFolder.resume(path, LoomRunConfig) as folder:
        print("ready", flush=True)
        for step in run_stages(plans(slow=0.008), folder, Accelerator("cpu"), notify=print):
            print(step.stage, step.step, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
