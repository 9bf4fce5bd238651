"""Degradations of pictures against second, slower implementations."""

import numpy as np
import pytest
import torch
from PIL import Image

from modaloom.core.errors import BadValue
from modaloom.core.rng import generator
from modaloom.degradations import DEGRADATIONS, downsample, grey, kuwahara, mosaic
from modaloom.degradations.mosaic import tiles
from modaloom.world.parsers.sight import to_lab

PICTURE = torch.rand(2, 3, 12, 10, generator=generator(0, "picture"), dtype=torch.float64)


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_what_has_one_grey_keeps_it_and_the_input_is_left_alone(name):
    flat = torch.full((1, 3, 12, 8), 0.3)
    done = DEGRADATIONS[name](flat)
    assert torch.allclose(done, torch.tensor(0.3), atol=1e-5)
    assert (flat == torch.tensor(0.3)).all()


def test_grey_keeps_the_lightness_of_cie_lab():
    colours, greys = (255 * picture.movedim(-3, -1).numpy() for picture in (PICTURE, grey(PICTURE)))
    assert np.allclose(to_lab(colours)[..., 0], to_lab(greys.repeat(3, -1))[..., 0], atol=0.02)


def test_smaller_is_pillows_antialiased_bicubic():
    """Pillow's own of floats, one channel at a time; its weights are those of a = -0.5 (Keys 1981)."""
    picture = torch.rand(16, 24, generator=generator(1, "picture"))
    expected = Image.fromarray(picture.numpy()).resize((6, 4), Image.Resampling.BICUBIC)
    assert np.allclose(downsample(picture[None], factor=4)[0], np.asarray(expected).clip(0, 1), atol=1e-5)


def test_a_factor_that_does_not_divide_is_refused():
    with pytest.raises(BadValue, match="factor is 4; it must divide 10×12 pixels"):
        downsample(PICTURE)


def reference_kuwahara(picture, radius):
    """Pixel by pixel, from the definition."""
    height, width = picture.shape[-2:]
    rows, columns = np.arange(-radius, height + radius), np.arange(-radius, width + radius)
    wide = picture[:, rows.clip(0, height - 1)][:, :, columns.clip(0, width - 1)]
    done = np.empty_like(picture)
    for y, x in np.ndindex(height, width):
        corners = [
            wide[:, y + top : y + top + radius + 1, x + left : x + left + radius + 1]
            for top in (0, radius)
            for left in (0, radius)
        ]
        done[:, y, x] = min(corners, key=lambda c: c.var(axis=(1, 2)).sum()).mean(axis=(1, 2))
    return done


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_paint_is_the_kuwahara_filter(radius):
    expected = [reference_kuwahara(picture.numpy(), radius) for picture in PICTURE]
    assert np.allclose(kuwahara(PICTURE, radius=radius), expected)


def test_paint_keeps_an_edge_sharp():
    edge = (torch.arange(12) >= 5).double().expand(1, 3, 12, 12)
    assert torch.equal(kuwahara(edge), edge)


@pytest.mark.parametrize(("height", "width", "tile"), [(32, 32, 3), (13, 29, 4), (7, 5, 2), (9, 9, 9)])
def test_the_tiles_are_voronoi_cells_of_one_point_a_square(height, width, tile):
    """The points are found by brute force: a cell is where its point is nearer than all others."""
    found = tiles(height, width, tile)
    rows, columns = -(-height // tile), -(-width // tile)
    jitter = torch.rand(rows, columns, 2, generator=generator(0, "mosaic", height, width, tile))
    squares = torch.cartesian_prod(torch.arange(rows), torch.arange(columns))
    points = tile * (squares + 0.25 + jitter.flatten(0, 1) / 2)
    centres = torch.cartesian_prod(torch.arange(height), torch.arange(width)) + 0.5
    assert torch.equal(found.flatten(), torch.cdist(centres, points).argmin(1))


def test_every_tile_has_the_mean_of_its_pixels():
    done, cell = mosaic(PICTURE, tile=4), tiles(12, 10, 4)
    for index in cell.unique():
        inside = cell == index
        mean = PICTURE[..., inside].mean(-1, keepdim=True)
        assert torch.allclose(done[..., inside], mean.expand(-1, -1, int(inside.sum())))
