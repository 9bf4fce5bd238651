"""What texts of different lengths cost, and how a network does past the length that it was trained on.

python benchmarks/lengths.py [--short 5] [--long 60] [--batch 64] [--trained 24] [--steps 1500]

First the time of a training step for batches of short texts, of long ones and of both, in turns. Then a Loom
learns to complete periodic texts of at most `--trained` codes, and is asked for longer ones.
"""

import argparse
from dataclasses import replace
from statistics import median
from time import perf_counter

import torch
from figures import Figures, Target, arguments, publish
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.core.types import MASK, CodeShape
from modaloom.loom.config import LoomConfig
from modaloom.loom.loom import Loom
from modaloom.loom.mixture import TrainingMixture

TEXT, VOCABULARY = "text", 500
SYMBOLS, LONGEST_PERIOD = 16, 6
WARMUP = 3
"""Turns that are not timed."""
HIDDEN = 0.5
"""Fraction of the codes of a periodic text that are to be completed."""
COST = "both / half of short + half of long"


def loom(limit: int, size: int, config: LoomConfig) -> Loom:
    """A Loom of one stream of at most `limit` codes."""
    torch.manual_seed(0)
    return Loom({TEXT: CodeShape((limit,), 1, size, variable=True)}, {TEXT: TEXT}, {}, config)


def padded(codes: Tensor, lengths: Tensor, size: int) -> Tensor:
    """Codes (B, L) cut to `lengths` (B,) → (B, L, 1)."""
    ended = torch.arange(codes.shape[1]) >= lengths[:, None]
    return codes.masked_fill(ended, size)[..., None]


def train(net: Loom, optimizer: torch.optim.Optimizer, codes: Tensor, seed: int) -> None:
    """One step."""
    optimizer.zero_grad()
    here = {TEXT: torch.ones(len(codes), dtype=torch.bool)}
    net.loss({TEXT: codes}, here, generator(seed)).total.backward()
    optimizer.step()


def costs(options: argparse.Namespace) -> Figures:
    """Seconds of a step by batch, and what both lengths cost beside each of them alone."""
    mixture = TrainingMixture(full_noise_prob=0)
    config = LoomConfig(width=options.width, num_layers=5, num_heads=4, mixture=mixture)
    net = loom(options.long, VOCABULARY, config)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)
    some, half = torch.ones(options.batch, dtype=torch.int64), options.batch // 2
    lengths = {
        "short": options.short * some,
        "long": options.long * some,
        "both": torch.cat([options.short * some[:half], options.long * some[half:]]),
    }
    seconds: dict[str, list[float]] = {name: [] for name in lengths}
    for turn in range(options.turns + WARMUP):
        for name, ends in lengths.items():
            codes = torch.randint(VOCABULARY, (len(ends), options.long), generator=generator(turn))
            batch, start = padded(codes, ends, VOCABULARY), perf_counter()
            train(net, optimizer, batch, turn)
            seconds[name].append(perf_counter() - start)
    found = {name: median(taken[WARMUP:]) for name, taken in seconds.items()}
    tokens = {name: int(ends.sum()) + len(ends) for name, ends in lengths.items()}
    per_token = {name: found[name] / tokens[name] for name in found}
    return {
        **{f"{name}: microseconds per token": 1e6 * per_token[name] for name in found},
        "both / long, per token": per_token["both"] / per_token["long"],
        COST: found["both"] / (found["short"] / 2 + found["long"] / 2),
    }


def periodic(n: int, shortest: int, longest: int, limit: int, seed: int) -> Tensor:
    """Codes (n, limit, 1) of `shortest` to `longest` symbols that repeat after 2 to `LONGEST_PERIOD`."""
    draw = generator(seed, "periodic")
    pattern = torch.randint(SYMBOLS, (n, LONGEST_PERIOD), generator=draw)
    period = torch.randint(2, LONGEST_PERIOD + 1, (n, 1), generator=draw)
    codes = pattern.gather(1, torch.arange(limit) % period)
    return padded(codes, torch.randint(shortest, longest + 1, (n,), generator=draw), SYMBOLS)


@torch.no_grad()
def accuracy(net: Loom, codes: Tensor) -> float:
    """Fraction of hidden codes that are the most probable ones, in one evaluation."""
    canvas = net.canvas({TEXT: codes}, [], len(codes))
    f = canvas[TEXT]
    hide = torch.rand(f.state.shape, generator=generator(0, "hidden")) < HIDDEN
    noisy = replace(
        f, state=f.state.masked_fill(hide, MASK), known=torch.zeros_like(f.known), t=torch.full_like(f.t, 0.5)
    )
    length = canvas[f"{TEXT}:length"]
    shown = {TEXT: noisy, f"{TEXT}:length": replace(length, known=torch.zeros_like(length.known))}
    right = net(shown)[TEXT].argmax(-1) == f.state
    return float(right[hide & f.valid[..., None]].float().mean())


def extrapolation(options: argparse.Namespace) -> Figures:
    """Accuracy within the trained lengths and past them."""
    longest, limit = options.trained, 4 * options.trained
    net = loom(limit, SYMBOLS, LoomConfig(width=64, num_layers=4, num_heads=4))
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3)
    slower = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.01, options.steps)
    for step in range(options.steps):
        train(net, optimizer, periodic(64, LONGEST_PERIOD, longest, limit, step), step)
        slower.step()
    net.eval()
    return {
        f"accuracy at {times} × the trained length": accuracy(
            net, periodic(500, times * longest, times * longest, limit, -times)
        )
        for times in (1, 2, 4)
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--short", type=int, default=5)
    parser.add_argument("--long", type=int, default=60)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--trained", type=int, default=24, help="longest periodic text of the training")
    parser.add_argument("--steps", type=int, default=1500)
    options = parser.parse_args()
    figures = {**costs(options), **extrapolation(options)}
    targets = [Target(name, *((1.15, "≤") if name == COST else ())) for name in figures]
    publish(targets, {f"{torch.get_num_threads()} threads": figures}, options.json)


if __name__ == "__main__":
    main()
