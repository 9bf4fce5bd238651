"""Which clips fit to which parts of music: ranks of what a run has learned."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from modaloom.core.errors import BadValue
from modaloom.editing.matching import misfits
from modaloom.loom.evaluation import bounds
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.video_value import Video

MUSIC = Audio(np.linspace(0, 1, 3 * 8000, dtype=np.float32)[None], 8000)
CLIPS = [Video.of(np.full((8, 4, 4, 3), level, np.uint8), Fraction(8)) for level in (10, 20, 30)]


class Levels:
    """A model that likes clips near the level of the music's first sample, and tells what it is asked."""

    def __init__(self):
        self.loom = self
        self.encoded, self.seeds = [], []

    def encode(self, stream, values):
        self.encoded += values
        first = [v.samples[0, 0] * 30 if stream == "song" else v.frames[0, 0, 0, 0] for v in values]
        return torch.tensor([float(one) for one in first])

    def nelbo(self, codes, wanted, given, *, generator, points):
        self.seeds.append(generator.initial_seed())
        assert wanted == ["clip"]
        far = (codes["song"] - codes["clip"]).abs() if given else torch.zeros(len(codes["clip"]))
        return {"clip": far}


SONG, STARTS = {"song": "audio", "clip": "video", "text": "text"}, [0.0, 1.9, 2.99]


def fits(modality_of, model=None, *, streams=(), seed=0):
    run = SimpleNamespace(modality_of=modality_of, model=model or Levels())
    return misfits(run, MUSIC, STARTS, CLIPS, streams=streams, seed=seed)


def test_the_clip_with_most_information_fits_best():
    assert fits(SONG) == [[0.0, 0.5, 1.0], [0.5, 0.0, 1.0], [1.0, 0.5, 0.0]]


def test_each_clip_and_each_part_of_the_music_is_encoded_once(monkeypatch):
    """Whatever the batches of pairs are."""
    monkeypatch.setattr(bounds, "BATCH_SIZE", 2)
    model = Levels()
    assert fits(SONG, model) == fits(SONG)
    assert len(model.encoded) == len(STARTS) + len(CLIPS)


def test_the_noise_is_that_of_the_seed():
    models = [Levels() for _ in range(3)]
    for model, seed in zip(models, (0, 0, 1)):
        fits(SONG, model, seed=seed)
    assert models[0].seeds == models[1].seeds != models[2].seeds


def test_of_several_streams_one_is_named():
    demo = {"speech": "audio", "song": "audio", "clip": "video"}
    assert fits(demo, streams=["song", "clip"]) == fits(SONG)
    with pytest.raises(BadValue, match=r"2 streams of audio, speech, song; name one of .* --streams"):
        fits(demo)
    with pytest.raises(BadValue, match="unknown stream 'sing'"):
        fits(demo, streams=["sing", "clip"])


@pytest.mark.parametrize("streams", [{"text": "text"}, {"song": "audio"}, {"clip": "video"}])
def test_a_run_without_sound_or_clips_is_told(streams):
    with pytest.raises(BadValue, match="give a run with sound and clips"):
        fits(streams)
