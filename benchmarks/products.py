"""Steps a second of the `tiny` preset against the time that its products alone take.

    .venv/bin/python benchmarks/products.py FOLDER
    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 .venv/bin/python benchmarks/products.py FOLDER

The second line emulates a processor without bfloat16. Prints, for each stage, milliseconds a step and the sum
of what its matrix products and convolutions take in torch's profiler (self time), and their ratio.
"""

import argparse
import tempfile
import time
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from modaloom.core.precision import bf16_time_ratio
from modaloom.data.folder import open_folder
from modaloom.loom.config import tiny
from modaloom.loom.trainer import LoomTrainer
from modaloom.runs.schedule import trapezoid
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Stage, Training

PRODUCTS = (
    "aten::mm",
    "aten::addmm",
    "aten::bmm",
    "aten::baddbmm",
    "aten::mkldnn_convolution",
    "aten::convolution_backward",
    "mkldnn_convolution_backward",
    "aten::_scaled_dot_product_flash_attention_for_cpu",
    "aten::_scaled_dot_product_flash_attention_for_cpu_backward",
)
STEPS = 20


def milliseconds(stage: Stage, accelerator: Accelerator) -> tuple[float, float]:
    """Of a step, the quickest of STEPS; and of its products."""
    training = Training(stage, accelerator, trapezoid(1000, warmup=0.1, decay=0.5), seed=0, ema=0.999)
    times = []
    for _ in range(5 + STEPS):
        start = time.perf_counter()
        training.advance()
        times.append(time.perf_counter() - start)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for _ in range(STEPS):
            training.advance()
    spent = sum(event.self_cpu_time_total for event in seen.key_averages() if event.key in PRODUCTS)
    return 1e3 * sorted(times[5:])[STEPS // 2], spent / 1e3 / STEPS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    accelerator = Accelerator("cpu")
    threads, ratio = torch.get_num_threads(), bf16_time_ratio()
    print(f"{threads} threads, bf16 / fp32 time {ratio:.2f}: {accelerator.precision}")
    with tempfile.TemporaryDirectory() as place, RunFolder.create(Path(place) / "run", tiny()) as run:
        trainer = LoomTrainer(run, open_folder(asked.folder), accelerator, notify=print)
        for plan in trainer.plans():
            stage = plan.build()
            step, products = milliseconds(stage, accelerator)
            print(
                f"{stage.name}: {1e3 / step:.1f} steps/s, {step:.1f} ms a step, products {products:.1f} ms, "
                f"ratio {step / products:.2f}",
                flush=True,
            )
            stage.module.eval()


if __name__ == "__main__":
    main()
