"""A run on clips and words: learned, generated, scored, shown and written; broken files are named."""

import re
from pathlib import Path

import numpy as np
import pytest

import modaloom
from modaloom.modalities.audio import AUDIO
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.video import VIDEO
from modaloom.modalities.video_value import Video

pytest.importorskip("av")

RATE = 16_000
WAYS = {"left": -2, "right": 2}
SMALL = [
    *("loom.width=32", "loom.num_layers=1", "loom.num_heads=2", "loom.sampling.steps=4"),
    *("tokenizers.video.widths=[8,8,16]", "tokenizers.video.strides=[4,4,4]"),
    *("tokenizers.video.crop_size=[8,16,16]", "data.limits.video.max_side=16"),
    *("tokenizers.video.codebook_size=32", "training.tokenizer.batch_size=8", "training.loom.batch_size=8"),
    *("tokenizers.audio.widths=[16,16]",),
]


def clip(word: str, n: int) -> Video:
    """A white square of 6 pixels that moves by 2 a frame."""
    frames = np.full((n, 16, 16, 3), 30, np.uint8)
    for k, frame in enumerate(frames):
        left = (5 + WAYS[word] * k) % 10
        frame[5:11, left : left + 6] = 240
    return Video.of(frames, 8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 clips of 5 to 10 frames, every other one with sound, and one that is cut short."""
    root = tmp_path_factory.mktemp("clips") / "data"
    root.mkdir()
    assert VIDEO.tracks is not None
    for i in range(24):
        word = [*WAYS][i % 2]
        wave = 0.4 * np.sin(np.arange(RATE // 2) * (0.1 + i % 2))
        sound = {"sound": Audio(wave[None].astype(np.float32), RATE)} if i % 3 else {}
        VIDEO.tracks.write(clip(word, 5 + i % 6), sound, root / f"{i:02d}.mp4")
        (root / f"{i:02d}.txt").write_text(word)
    (root / "24.mp4").write_bytes((root / "00.mp4").read_bytes()[:-400])
    (root / "24.txt").write_text("left")
    return root


def test_inspect_tells_clips_sounds_and_what_is_broken(folder: Path) -> None:
    found = modaloom.inspect(folder)
    facts = found.streams["video"]
    assert (facts.modality, facts.count, facts.broken) == ("video", 24, 1)
    assert (facts.facts["rate"], facts.facts["frames"]) == ("8 fps", "5 to 10")
    assert (found.streams["video.sound"].count, found.streams["video.sound"].broken) == (16, 0)
    assert "video.sound is the sound in 16 files of video" in found.recognised


def test_a_whole_run(folder: Path, tmp_path: Path) -> None:
    run = modaloom.train(
        folder,
        out=tmp_path / "run",
        steps={"video": 60, "audio": 4, "loom": 10},
        settings=SMALL,
        device="cpu",
    )
    spec = run.model.specs["video"]
    assert spec == {"size": [10, 16, 16], "content": [16, 16], "channels": 1, "fps": "8", "variable": True}
    tokenizer = run.model.streams["video"].tokenizer
    for n in (5, 6, 7, 8):
        (again,) = tokenizer.decode(tokenizer.encode([clip("left", n)]))
        assert again.length == n
    error = VIDEO.compare(again, clip("left", 8), spec)["mse"]
    still = Video.of(np.full((8, 16, 16, 3), 60, np.uint8), 8)
    assert error < 0.7 * VIDEO.compare(still, clip("left", 8), spec)["mse"]
    (drawn,) = run.generate(given={"text": "left"}, want="video", n=1)
    assert 1 <= drawn["video"].length <= 12
    assert run.generate(given={"text": "left"}, want="video", n=1)[0]["video"] == drawn["video"]
    both = [
        *modaloom.generate(
            run, given={"text": "left"}, want=["video", "video.sound"], n=1, out=tmp_path / "o"
        )
    ]
    assert {*both[0].streams} == {"video", "video.sound"}
    assert sorted(path.name for path in (tmp_path / "o").glob("0*")) == ["0000.video.mp4"]
    made = VIDEO.read(tmp_path / "o" / "0000.video.mp4")
    assert made.facts == both[0].streams["video"].facts
    heard, wanted = AUDIO.read(tmp_path / "o" / "0000.video.mp4"), both[0].streams["video.sound"]
    assert heard.seconds == pytest.approx(wanted.seconds, abs=0.07)
    long = run.generate(given={"text": "left"}, want="video", n=6, length=30)
    assert 12 < max(one["video"].length for one in long) <= 30
    assert long[0]["video"] == run.generate(given={"text": "left"}, want="video", n=1, length=30)[0]["video"]
    first = clip("left", 8)
    (more,) = run.generate(given={"text": "left", "video": first}, want="video", n=1, length=30)
    assert more["video"].length <= 30
    assert (more.codes["video"][:32, :-1] == run.model.encode("video", [first])[0, :32, :-1]).all()
    given_sound = (np.full(RATE, 0.1, np.float32), RATE)
    asked = {"text": "left", "video.sound": given_sound}
    [*modaloom.generate(run, given=asked, want="video", mux="video+video.sound", n=1, out=tmp_path / "m")]
    assert AUDIO.read(tmp_path / "m" / "0000.video.mp4").seconds == pytest.approx(1, abs=0.07)
    assert "--mux video+video.sound" in (tmp_path / "m" / "_provenance.jsonl").read_text()
    rows = {row.metric: row for row in modaloom.evaluate(run, folder, n=4) if row.row == "text->video"}
    assert rows.keys() >= {"psnr", "ssim", "mse", "flicker", "duration_error"}
    given = run.generate(given={"video": (clip("left", 6).frames, 8)}, want="text", n=1)
    assert isinstance(given[0]["text"], str)
    page = (tmp_path / "run" / "report.html").read_text()
    assert len(re.findall(r'<video controls [^>]*src="data:video/mp4;base64,', page)) > 4
