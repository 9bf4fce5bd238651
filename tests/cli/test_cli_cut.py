"""The command `cut`."""

from pathlib import Path

import numpy as np
from calling import Call, done

from modaloom.modalities import AUDIO, VIDEO
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.video_value import Video


def test_a_film_and_its_shots(tmp_path: Path, refused: Call) -> None:
    clicks = np.zeros(24_000, np.float32)
    clicks[[4000, 12_000, 20_000]] = 0.9
    AUDIO.write(Audio(clicks[None], 8000), tmp_path / "song.wav")
    for i in range(2):
        VIDEO.write(Video.of(np.full((20, 16, 16, 3), 80 * i, np.uint8), 10), tmp_path / f"{i}.mp4")
    clips = tmp_path / "0.mp4", tmp_path / "1.mp4"
    said = done("cut", tmp_path / "song.wav", *clips, "--out", tmp_path / "film.mp4", "--shot", 1).output
    assert "0.000 s: " in said
    assert "1.500 s: " in said
    assert "shots in" in said
    assert VIDEO.read(tmp_path / "film.mp4").seconds == 3
    refused("cut", tmp_path / "song.wav", *clips, "--out", tmp_path / "film.mp4", names="exists")
    refused("cut", tmp_path / "song.wav", tmp_path / "no.mp4", "--out", tmp_path / "b.mp4", names="no.mp4")
