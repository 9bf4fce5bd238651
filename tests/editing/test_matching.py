"""Which clips fit to which parts of music: ranks of what a run has learned."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from modaloom.core.errors import BadValue
from modaloom.editing import matching
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.video_value import Video

MUSIC = Audio(np.linspace(0, 1, 3 * 8000, dtype=np.float32)[None], 8000)
CLIPS = [Video.of(np.full((8, 4, 4, 3), level, np.uint8), Fraction(8)) for level in (10, 20, 30)]


class Levels:
    """A model that likes clips near the level of the music's first sample."""

    def __init__(self, model, samples):
        self.samples = samples

    def pointwise(self, given, want):
        assert (given, want) == ("song", "clip")
        far = [
            abs(30 * float(s.streams["song"].samples[0, 0]) - float(s.streams["clip"].frames[0, 0, 0, 0]))
            for s in self.samples
        ]
        assert len({sample.key for sample in self.samples}) == len(self.samples)
        return SimpleNamespace(pmi=-torch.tensor(far, dtype=torch.float64))


def run(**modality_of):
    return SimpleNamespace(modality_of=modality_of, model=None)


def test_the_clip_with_most_information_fits_best(monkeypatch):
    monkeypatch.setattr(matching, "Bounds", Levels)
    found = matching.misfits(run(song="audio", clip="video", text="text"), MUSIC, [0.0, 1.9, 2.99], CLIPS)
    assert found == [[0.0, 0.5, 1.0], [0.5, 0.0, 1.0], [1.0, 0.5, 0.0]]


@pytest.mark.parametrize("streams", [{}, {"song": "audio"}, {"a": "audio", "b": "audio", "clip": "video"}])
def test_a_run_without_sound_or_clips_is_told(streams):
    with pytest.raises(BadValue, match="give one with sound and clips"):
        matching.misfits(run(**streams), MUSIC, [0.0], CLIPS)
