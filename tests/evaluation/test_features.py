"""Values as points."""

import numpy as np
import pytest
import torch
from PIL import Image

from modaloom.evaluation.features import Space
from modaloom.modalities import MODALITIES
from modaloom.modalities.image_spec import ImageLimits

TEXT, IMAGE, RECORD = (MODALITIES[name] for name in ("text", "image", "record"))


def fit(modality, values):
    """A space of values in their own form."""
    return Space.fit(modality, values, modality.infer_spec(values, modality.limits))


def grey(level, size=(8, 8)):
    return Image.fromarray(np.full((*size, 3), level, np.uint8))


def test_streams_weigh_the_same():
    spaces = [
        fit(TEXT, ["one", "two", "three"]),
        fit(IMAGE, [grey(0), grey(100), grey(255)]),
        fit(RECORD, [{"u": 1.0, "c": "x"}, {"u": 2.0, "c": "y"}]),
    ]
    for space in spaces:
        assert space.points.square().sum(1).mean() == pytest.approx(1, rel=1e-5)
        assert space.points.mean(0).abs().max() < 1e-6


def test_text_is_nearer_the_more_it_shares():
    said = ["a small red circle", "a small red square", "where is it?"]
    one, two, far = TEXT.codec.features(said, {})
    assert one @ one == pytest.approx(1)
    assert one @ two > 0.5 > one @ far
    assert TEXT.codec.features([""], {}).norm() < 1 + 1e-6


def test_large_pictures_are_pooled():
    pictures = [grey(0, (64, 64)), grey(255, (64, 64))]
    dark, light = IMAGE.codec.features(pictures, IMAGE.infer_spec(pictures, ImageLimits(max_side=64)))
    assert len(dark) == 256
    assert torch.equal(dark, torch.full((256,), -1.0))
    assert torch.equal(light, torch.full((256,), 1.0))


def test_the_typical_value_is_the_commonest_and_else_the_most_central():
    assert fit(TEXT, ["far out", "b", "a", "b"]).typical == 1
    assert fit(IMAGE, [grey(0), grey(120), grey(255)]).typical == 1


def test_an_embedded_training_value_is_its_point():
    values = [{"u": 1.0, "c": "x"}, {"u": 2.0, "c": "y"}, {"c": "y"}]
    space = fit(RECORD, values)
    assert torch.allclose(space.embed(values), space.points)
