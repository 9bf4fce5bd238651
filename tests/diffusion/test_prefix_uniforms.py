"""Random numbers that do not depend on how far a batch is padded."""

import torch

from modaloom.core.rng import generator
from modaloom.diffusion.noise import Noise, prefix_uniforms


def test_the_first_positions_have_the_same_numbers_however_many_there_are():
    long, short = (Noise([generator(0, i) for i in range(5)], draw=prefix_uniforms) for _ in range(2))
    for _ in range(2):
        far, near = long.uniform(100, 3), short.uniform(7, 3)
        assert far.shape == (5, 100, 3)
        assert torch.equal(far[:, :7], near)
    assert torch.equal(long.uniform(2), short.uniform(2))


def test_they_are_uniform_and_differ_by_sample_and_call():
    noise = Noise([generator(0)], each=20, draw=prefix_uniforms)
    first, second = noise.uniform(500, 2), noise.uniform(500, 2)
    assert not torch.equal(first, second)
    assert len(first.flatten().unique()) == first.numel()
    counts = first.flatten().histc(10, 0, 1) / first.numel()
    torch.testing.assert_close(counts, torch.full((10,), 0.1, dtype=torch.float64), atol=0.01, rtol=0)
