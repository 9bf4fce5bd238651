"""Degradations against Pillow and hand-made answers."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.degradations.downsample import downsample
from modaloom.degradations.jpeg import jpeg
from modaloom.degradations.luma import luma, replace_luma
from modaloom.degradations.luma_gradients import luma_gradients
from modaloom.degradations.noise import add_noise
from modaloom.degradations.quantize_8bit import quantize_8bit
from modaloom.degradations.random_boxes import MAX_HOLES, WIDTH_DIVISOR, random_boxes
from modaloom.degradations.upsample import upsample


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def picture(channels: int = 3, height: int = 24, width: int = 36) -> Tensor:
    """Multiples of 1/255 with smooth parts and hard edges."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    waves = torch.stack([(9 * x + k).sin() * (7 * y).cos() / 2 + 0.5 for k in range(channels)])
    waves[:, height // 3 : height // 2, width // 4 : width // 2] = 1
    return quantize_8bit(waves)


def pil(image: Tensor, mode: str = "RGB") -> Image.Image:
    levels = (image * 255).round().to(torch.uint8)
    return Image.fromarray(levels.permute(1, 2, 0).squeeze(-1).numpy()).convert(mode)


def levels(image: Image.Image) -> Tensor:
    found = torch.from_numpy(np.array(image))
    return (found[None] if found.ndim == 2 else found.permute(2, 0, 1)).float()


@pytest.mark.parametrize("factor", [2, 4])
def test_smaller_and_larger_are_pillows_bicubic(factor):
    """In floats; Pillow's 8 bits are within a level of it where its clipping after each axis does nothing."""
    image, size = picture(), (36 // factor, 24 // factor)
    for changed, (width, height) in (
        (downsample(image, factor=factor), size),
        (upsample(image, factor=factor), (36 * factor, 24 * factor)),
    ):
        channel = Image.fromarray(image[0].numpy()).resize((width, height), Image.Resampling.BICUBIC)
        expected = np.array(channel).clip(0, 1) if width < 36 else np.array(channel)
        np.testing.assert_allclose(changed[0].numpy(), expected, atol=1e-5)
    soft = image / 2 + 0.25
    small = pil(soft).resize(size, Image.Resampling.BICUBIC)
    assert (downsample(quantize_8bit(soft), factor=factor) * 255 - levels(small)).abs().max() <= 1.01


def test_jpeg_is_pillows_and_its_colours_are_halved():
    image, file = picture(), io.BytesIO()
    pil(image).save(file, "JPEG", quality=20)
    assert torch.equal(jpeg(image, quality=20) * 255, levels(Image.open(file)))
    grey = picture(1)
    assert torch.equal(jpeg(grey.expand(2, 1, 24, 36), quality=90)[1], jpeg(grey, quality=90))
    errors = [float((jpeg(image, quality=q) - image).square().mean()) for q in (5, 20, 90)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2] > 0
    for wrong in ({"image": picture(2), "quality": 20}, {"image": image, "quality": 0}):
        with pytest.raises(BadValue, match=r"for JPEG there must be 1 or 3|quality is 0"):
            jpeg(**wrong)


def test_noise_is_white_and_of_its_sigma():
    clean = torch.linspace(-2, 3, 100_000)
    added = add_noise(clean, sigma=0.1, generator=random()) - clean
    assert abs(float(added.mean())) < 5 * 0.1 / math.sqrt(1e5)
    assert abs(float(added.std()) / 0.1 - 1) < 5 / math.sqrt(2e5)
    assert abs(float((added[1:] * added[:-1]).mean())) < 5 * 0.01 / math.sqrt(1e5)


@pytest.mark.parametrize("sides", [(1,), (40,), (1, 1), (24, 40), (9, 10, 11)])
def test_holes_are_boxes_within_the_signal(sides):
    """One signal in so many has a single box: there the hole is its bounding box. Every count occurs."""
    shares = []
    for seed in range(60):
        known = random_boxes(sides, generator=random(seed))
        missing = (~known).nonzero()
        assert len(missing) > 0
        extent = missing.amax(0) - missing.amin(0) + 1
        shares.append(len(missing) / math.prod(extent.tolist()))
        widest = math.prod(max(1, side // WIDTH_DIVISOR) for side in sides)
        assert len(missing) <= MAX_HOLES * widest
    assert sum(share == 1 for share in shares) >= 60 / MAX_HOLES / 2
    places = {tuple((~random_boxes(sides, generator=random(s))).nonzero()[0].tolist()) for s in range(60)}
    assert len(places) > 10 or math.prod(sides) == 1


def test_luma_is_pillows():
    image = picture()
    assert torch.equal((luma(image) * 255).round(), levels(pil(image, "L")))


def test_a_recoloured_picture_has_the_brightness_of_the_other_bit_for_bit():
    """Every level of brightness with a thousand random colours, checked by Pillow; extremes too."""
    colours = torch.rand(3, 256, 1000, generator=random()) * 1.5 - 0.25
    colours[:, :, 0], colours[:, :, 1], colours[:, :, 2] = 0, 1, torch.tensor([1.0, 0, 0])[:, None]
    brightness = (torch.arange(256.0) / 255).expand(1, 1000, 256).transpose(1, 2).contiguous()
    found = replace_luma(brightness, colours)
    assert torch.equal(levels(pil(found, "L")), (brightness * 255).round())
    assert torch.equal(found, quantize_8bit(found))


def test_brightness_stays_where_all_three_colours_lie_between_two_levels():
    """Every even colour whose luma is a half in Pillow's fixed point, at the level below: rounded each by
    itself, all three may go up, and luma with them."""
    even = torch.arange(0, 256, 2)
    colour = torch.cartesian_prod(even, even, even).T.reshape(3, 1, -1)
    weighed = 19595 * colour[0] + 38470 * colour[1] + 7471 * colour[2]
    tie = weighed % 65536 == 32768
    brightness = (weighed[tie] // 65536)[None, None] / 255
    assert brightness.numel() > 10
    found = replace_luma(brightness, colour[:, tie][:, None].double() / 255)
    assert torch.equal(levels(pil(found, "L")), (brightness * 255).round())


def test_a_recoloured_picture_has_the_colours_where_they_exist():
    """The picture's own brightness and colours give the picture; beyond, the hue stays."""
    image = picture()
    again = replace_luma(quantize_8bit(luma(image)), image)
    assert (again - image).abs().max() * 255 <= 2
    red = torch.tensor([1.0, 0, 0])[:, None, None]
    for y in (0.05, 0.5, 0.9):
        found = replace_luma(torch.full((1, 1, 1), round(255 * y) / 255), red).flatten()
        assert found[0] > found[1]
        assert abs(found[1] - found[2]) < 2 / 255
        assert found[0] == 1 or found[1:].min() < 2 / 255


def test_edges_are_central_differences():
    y, x = torch.meshgrid(torch.arange(5.0), torch.arange(6.0), indexing="ij")
    found = luma_gradients((3 * y + 2 * x)[None])
    assert torch.equal(found[:, 1:-1, 1:-1], torch.tensor([3.0, 2])[:, None, None].expand(2, 3, 4))
    assert (found[0, 0] == 1.5).all()
    assert (found[1, :, -1] == 1).all()


def test_a_factor_that_does_not_divide_is_refused():
    with pytest.raises(BadValue, match="factor is 2; it must divide 36×23"):
        downsample(picture()[:, :23], factor=2)
