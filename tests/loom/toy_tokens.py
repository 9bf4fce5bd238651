"""Streams whose values are strings of digits, a code each, and a small model of random weights over them."""

import numpy as np
import torch
from torch import nn

from modaloom.core.types import CodeShape
from modaloom.loom.config import LoomConfig
from modaloom.loom.loom import Loom
from modaloom.loom.model import Model, Stream
from modaloom.tokenizers import Tokenizer

SHAPES = {"short": CodeShape((3,), 1, 5), "middle": CodeShape((2, 2), 2, 5), "long": CodeShape((12,), 1, 7)}


class Digits(Tokenizer):
    """ "0123" ↔ codes, in C order."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape

    @classmethod
    def fit(cls, modality, columns, limits, options):
        raise NotImplementedError

    def prepare(self, value):
        return np.array([int(digit) for digit in value])

    def encode_batch(self, batch):
        return batch.reshape(len(batch), *self.shape.grid, self.shape.depth)

    def decode(self, codes):
        return ["".join(map(str, row.flatten().tolist())) for row in codes]

    def state(self):
        return {}

    @classmethod
    def restore(cls, state):
        raise NotImplementedError


def loom(seed=0, **config):
    """A Loom whose every parameter is random, so that everything matters."""
    net = Loom(SHAPES, {n: n for n in SHAPES}, {}, LoomConfig(width=16, num_layers=1, num_heads=2, **config))
    draw = torch.Generator().manual_seed(seed)
    for p in net.parameters():
        nn.init.normal_(p, std=0.4, generator=draw)
    return net.eval()


def model(seed=0, **config):
    return Model({name: Stream("text", Digits(s), name) for name, s in SHAPES.items()}, loom(seed, **config))


def codes(n, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return {
        name: torch.randint(0, s.codebook_size, (n, s.num_positions, s.depth), generator=draw)
        for name, s in SHAPES.items()
    }
