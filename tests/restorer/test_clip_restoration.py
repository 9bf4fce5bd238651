"""Restorers of clips from file to file: lengths, sizes, rates, sound, any number of frames at a time."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from modaloom import api as modaloom
from modaloom.core.errors import BadFile, BadValue
from modaloom.core.frame import finished
from modaloom.modalities import audio_file, video, video_encode, video_value
from modaloom.modalities.audio import AUDIO
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.video import VIDEO
from modaloom.modalities.video_encode import write_with
from modaloom.modalities.video_value import Frame, Video
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.inference import Draw, initial_noise
from modaloom.restorer.restoration import RestoredRun, RestoreOptions
from modaloom.restorer.stretches import StretchedAnswer
from modaloom.restorer.tasks import TASKS_OF_CLIPS, Signals

FPS, RATE = Fraction(30_000, 1001), 48_000
FULL = pytest.mark.full
SMALL = (
    *("restorer.local.width=8", "restorer.local.num_res_blocks=1", "restorer.local.frames=3"),
    *("restorer.crop_sizes=[16]", "restorer.crop_frames=3", "training.restorer.batch_size=6"),
)


def waves(n: int, height: int = 24, width: int = 32, seed: int = 0) -> np.ndarray:
    """Coloured waves that move (n, height, width, 3)."""
    draw = np.random.default_rng(seed)
    t, y, x = np.meshgrid(np.arange(n), np.arange(height), np.arange(width), indexing="ij")
    ways = [draw.uniform(-0.6, 0.6, 3) for _ in range(9)]
    colours = [sum(np.sin(a * t + b * y + c * x) for a, b, c in ways[i::3]) for i in range(3)]
    return (127.5 + 40 * np.stack(colours, -1)).clip(0, 255).astype(np.uint8)


def clip(n: int, height: int = 24, width: int = 32, seed: int = 0) -> Video:
    return Video.of(waves(n, height, width, seed), FPS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("waves") / "data"
    for i in range(7):
        path = root / ("test" if i >= 5 else "train") / f"{i:02d}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        sound = {"sound": tone(9 / float(FPS))} if i == 0 else {}
        write_with(clip(9 + i, seed=i), sound, path)
    return root


def tone(seconds: float) -> Audio:
    t = np.arange(round(RATE * seconds)) / RATE
    return Audio((0.3 * np.sin(2 * np.pi * 440 * t))[None].astype(np.float32), RATE)


@pytest.fixture(scope="module")
def run_of(folder: Path) -> Callable[[str], RestoredRun]:
    @cache
    def trained(task: str) -> RestoredRun:
        out = folder.parent / task
        run = modaloom.train(folder, out=out, task=task, steps=2, settings=[*SMALL], device="cpu", samples=2)
        assert isinstance(run, RestoredRun)
        draw = torch.Generator().manual_seed(0)
        for parameter in run.restoration.restorer.parameters():
            nn.init.normal_(parameter, std=0.05, generator=draw)
        return run

    return trained


@pytest.mark.parametrize(
    "task", ["superres", pytest.param("denoise", marks=FULL), "inpaint", pytest.param("jpeg", marks=FULL)]
)
def test_a_run_of_clips_is_scored_and_shown(
    run_of: Callable[[str], RestoredRun], folder: Path, task: str
) -> None:
    run = run_of(task)
    rows = {row.metric: row for row in modaloom.evaluate(run, folder, n=2)}
    assert {"psnr", "ssim", "flicker"} <= rows.keys()
    assert rows["psnr"].floor is not None
    assert rows["psnr"].baseline is not None
    assert "<video" in (run.path / "report.html").read_text()
    assert run.restoration.plan.facts("video") == {"fps": str(FPS)}


@pytest.mark.full
def test_all_faults_of_clips_are_learned_by_one_network(folder: Path, tmp_path: Path) -> None:
    settings = [*SMALL, "training.restorer.batch_size=3"]
    run = modaloom.train(folder, out=tmp_path / "run", task="restore", steps=1, settings=settings, samples=1)
    found = {row.row for row in modaloom.evaluate(run, folder, n=1)}
    assert found == {f"restore:{fault}" for fault in ("superres", "inpaint", "denoise", "jpeg")}


@pytest.mark.parametrize("mode", ["mean", "sample"])
@pytest.mark.parametrize("task", ["superres", "denoise"])
def test_any_number_of_frames_at_a_time_gives_the_same(
    run_of: Callable[[str], RestoredRun], task: str, mode: str
) -> None:
    source = clip(23, 9, 13)
    run = run_of(task)
    whole = answered(run, source, mode).frames
    assert np.abs(np.diff(whole.astype(int), axis=0)).max() > 20
    for frames in (1, 4, 7):
        made = answered(run, source, mode, max_values=frames * whole[0].size).frames
        assert np.abs(made.astype(int) - whole).max() <= 1


def answered(
    run: RestoredRun, source: Video, mode: str, mask: Video | None = None, steps: int = 2, **how: int
) -> Video:
    """The answer, of a sample in two steps."""
    stretches, found = VIDEO.signal.stretches, run.restoration
    assert stretches is not None
    sampling = replace(found.config.sampling, steps=steps)
    answer = StretchedAnswer(found, stretches, source, mask, found.options, mode, sampling, seed=3, **how)
    made: Video = finished(answer.stream())
    return made


def test_how_far_a_network_is_trusted_is_measured_all_over_a_clip(
    run_of: Callable[[str], RestoredRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the stretches are: oracle, frames that tell their number."""
    frames = np.arange(200, dtype=np.uint8)[:, None, None].repeat(8, 1).repeat(8, 2)
    seen: list[list[int]] = []

    def calibrated(restorer: object, task: object, parts: Iterator[Signals], *how: object) -> float:
        inputs = [part.input for part in parts]
        seen.append([round(float(v)) for one in inputs if one is not None for v in 255 * one[0, :, 0, 0]])
        return 1.0

    monkeypatch.setattr("modaloom.restorer.stretches.calibrated", calibrated)
    for n in (1, 6, 40, 200):
        for size in (1, 2**25):
            answered(run_of("superres"), Video.of(frames[:n], FPS), "mean", max_values=size)
        assert seen[-1] == seen[-2]
        assert len(seen[-1]) == len({*seen[-1]}) == min(n, 40)
    assert [run // 25 for run in seen[-1][::5]] == [*range(8)]


def test_what_the_memory_does_not_hold_is_refused_with_what_to_do(
    run_of: Callable[[str], RestoredRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a sample in 8 steps a frame depends on 8 before and after, of the mean and of one step on one."""
    source, run = clip(40), run_of("superres")
    values = 3 * 48 * 64
    monkeypatch.setattr("modaloom.restorer.stretches.MAX_CONTEXT", 16 * values)
    answered(run, source, "sample", steps=7)
    answered(run, source, "mean", steps=8)
    answered(run, clip(16), "sample", steps=8)
    with pytest.raises(BadValue, match=rf"depends on 17, which are {17 * values:,} values.* fewer --steps"):
        answered(run, source, "sample", steps=8)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_frames_share_so_much_of_their_noise(share: float) -> None:
    """Its variance is 1, its covariance from frame to frame the share, wherever a stretch begins."""
    target = torch.zeros(1, 3, 4, 50, 60)
    example = ConditionalExample(target, target[:, :0], torch.zeros(1, 1, 0), torch.zeros(1))
    noise = initial_noise(example, Draw(seed=5, start=2), share)[0].double()
    assert float(noise.var()) == pytest.approx(1, abs=0.03)
    assert float((noise[:, 0] * noise[:, 2]).mean()) == pytest.approx(share, abs=0.03)
    later = initial_noise(replace(example, target=target[:, :, :2]), Draw(seed=5, start=4), share)[0]
    torch.testing.assert_close(later.double(), noise[:, 2:])


@pytest.mark.parametrize("sampler", ["ddpm", "dpmpp_2m_sde", "dpmpp_2m"])
def test_a_still_clip_stays_still_where_frames_share_all_noise(
    run_of: Callable[[str], RestoredRun], sampler: str
) -> None:
    still, run = Video.of(np.repeat(waves(1), 5, axis=0), FPS), run_of("denoise")
    changes = {}
    for share in (0.0, 1.0):
        how = RestoreOptions(mode="sample", sampling={"sampler": sampler, "steps": 3, "shared_noise": share})
        changes[share] = np.abs(np.diff(run.restore(still, how).frames.astype(int), axis=0)).max()
    assert changes[1.0] <= 1 < changes[0.0]


@pytest.mark.parametrize("task", ["superres", "denoise", "jpeg"])
def test_equal_frames_are_answered_as_one_frame_is(run_of: Callable[[str], RestoredRun], task: str) -> None:
    one = Video.of(waves(1, 21, 18), FPS)
    still = Video.of(np.repeat(one.frames, 6, axis=0), FPS)
    run = run_of(task)
    answers = [run.restore(each, RestoreOptions(mode="mean")).frames for each in (one, still)]
    assert len(answers[0]) == 1
    assert np.abs(answers[1].astype(int) - answers[0]).max() <= 1


def test_a_file_keeps_its_frames_rate_and_sound(run_of: Callable[[str], RestoredRun], tmp_path: Path) -> None:
    source, sound = clip(11, 23, 31), tone(11 / float(FPS))
    write_with(source, {"sound": sound}, tmp_path / "odd.mp4")
    (path,) = modaloom.restore(run_of("superres").path, tmp_path / "odd.mp4", out=tmp_path / "out")
    made = VIDEO.read(path)
    assert made.facts == (11, 46, 62, FPS)
    before, after = (AUDIO.read(one).samples[0] for one in (tmp_path / "odd.mp4", path))
    assert len(after) >= len(before)
    assert np.sqrt(np.square(after[: len(before)] - before).mean()) < 0.03
    truth = np.stack([Image.fromarray(f).resize((62, 46), Image.Resampling.BICUBIC) for f in source.frames])
    assert np.abs(made.frames.astype(int) - truth).mean() < 12


def test_sound_of_any_length_is_kept_and_what_is_damaged_costs_no_clip(
    run_of: Callable[[str], RestoredRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("long", "damaged"):
        write_with(clip(6), {"sound": tone(0.2)}, tmp_path / f"{name}.mp4")
    monkeypatch.setattr(audio_file, "MAX_VALUES", 100)
    read_pieces = video_encode.read_pieces

    def pieces(path: Path) -> Iterator[Audio]:
        yield from read_pieces(path)
        if path.stem == "damaged":
            raise BadFile(path, "is cut short")

    monkeypatch.setattr(video_encode, "read_pieces", pieces)
    said: list[str] = []
    names = [tmp_path / "long.mp4", tmp_path / "damaged.mp4"]
    paths = [*modaloom.restore(run_of("denoise").path, names, out=tmp_path / "out", notify=said.append)]
    assert said == ["the sound is kept as far as it can be read, since it is cut short: damaged"]
    monkeypatch.undo()
    for path in paths:
        assert VIDEO.read(path).length == 6
        assert AUDIO.read(path).seconds == pytest.approx(0.2, abs=0.03)


def test_a_silent_file_and_a_gif_stay_silent(run_of: Callable[[str], RestoredRun], tmp_path: Path) -> None:
    for name in ("a.mp4", "b.gif"):
        VIDEO.write(clip(4), tmp_path / name)
    paths = [
        *modaloom.restore(
            run_of("denoise").path, [tmp_path / "a.mp4", tmp_path / "b.gif"], out=tmp_path / "o"
        )
    ]
    assert [path.name for path in paths] == ["a.mp4", "b.gif"]
    assert VIDEO.tracks is not None
    assert [[*VIDEO.tracks.found(path)] for path in paths] == [[], []]
    assert [VIDEO.read(path).length for path in paths] == [4, 4]


def test_what_is_known_of_a_clip_stays_and_a_mask_of_one_frame_is_that_of_all(
    run_of: Callable[[str], RestoredRun],
) -> None:
    source, run = clip(9), run_of("inpaint")
    hole = np.zeros((24, 32, 3), np.uint8)
    hole[5:12, 8:20] = 255
    one = run.restore(source, RestoreOptions(mask=Image.fromarray(hole))).frames
    every = run.restore(source, RestoreOptions(mask=Video.of(np.stack([hole] * 9), FPS))).frames
    assert np.array_equal(one, every)
    assert np.array_equal(one[:, hole == 0], source.frames[:, hole == 0])
    assert not np.array_equal(one, source.frames)


def gap(n: int, first: int, end: int) -> Video:
    """A mask of n frames that marks some of them as a whole."""
    mask = np.zeros((n, 24, 32), np.uint8)
    mask[first:end] = 255
    return Video.of(mask, FPS)


def test_a_gap_is_filled_alike_any_number_of_frames_at_a_time(run_of: Callable[[str], RestoredRun]) -> None:
    source, run = clip(23), run_of("inpaint")
    whole, single = (
        answered(run, source, "mean", mask=gap(23, 6, 14), max_values=size).frames for size in (2**25, 1)
    )
    assert np.abs(whole.astype(int) - single).max() <= 1
    assert whole[6:14].std() > 5


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (Video.of(np.zeros((3, 24, 32), np.uint8), 8), "the mask has 3 frames, the clip 9"),
        (Video.of(np.full((12, 24, 32), 255, np.uint8), 8), "the mask has 12 frames, the clip 9"),
        (Video.of(np.zeros((1, 20, 32), np.uint8), 8), "the mask is 32×20, the clip 32×24"),
        (Video.of(np.zeros((1, 24, 32), np.uint8), 8), "the mask marks nothing"),
        (Video.of(np.zeros((9, 24, 32), np.uint8), 8), "the mask marks nothing"),
        (Video.of(np.full((1, 24, 32), 255, np.uint8), 8), "the mask leaves nothing of the clip"),
        (gap(9, 2, 9), "frames 3 to 9 are missing as a whole"),
        (None, "inpaint needs a mask"),
    ],
)
def test_masks_that_do_not_fit_are_refused(
    run_of: Callable[[str], RestoredRun], mask: Video | None, message: str
) -> None:
    with pytest.raises(BadValue, match=message):
        run_of("inpaint").restore(clip(9), RestoreOptions(mask=mask))


def test_a_long_clip_is_answered_when_it_is_looked_at(run_of: Callable[[str], RestoredRun]) -> None:
    shown = [*waves(4, 40, 48)]
    read: list[int] = []

    def scan() -> Iterator[Frame]:
        for k in range(200_000):
            read.append(k)
            yield shown[k % 4]

    source = Video(scan, 200_000, 40, 48, Fraction(25))
    made = answered(run_of("denoise"), source, "mean", max_values=2**16)
    assert len([*islice(made.scan(), 30)]) == 30
    assert made.length == 200_000
    assert max(read) < 100


def test_previews_of_a_clip_are_of_its_first_frames(run_of: Callable[[str], RestoredRun]) -> None:
    frames = [*run_of("denoise").stream(clip(5), RestoreOptions(mode="sample", sampling={"steps": 3}))]
    assert [(frame.step, frame.total, frame.result is None) for frame in frames] == [
        *[(1, 3, True), (2, 3, True), (3, 3, False)]
    ]
    assert frames[0].preview().facts == (5, 24, 32, FPS)


def test_of_clips_that_the_memory_does_not_hold_the_middle_is_learned(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most, said = 4 * 24 * 32 * 3, list[str]()
    for module in (video, video_value):
        monkeypatch.setattr(module, "MAX_VALUES", most)
    callbacks = modaloom.TrainCallbacks(notify=said.append)
    run = modaloom.train(
        folder, out=tmp_path / "run", task="denoise", steps=1, settings=[*SMALL], callbacks=callbacks
    )
    assert "video: 5 of 5 values are too long for the memory, and their middle is taken" in said
    assert not any("not evaluated" in sentence for sentence in said)
    assert modaloom.evaluate(run, folder, n=2)
    numbered = np.arange(9, dtype=np.uint8)[:, None, None].repeat(24, 1).repeat(32, 2)
    middle = VIDEO.signal.middle(Video.of(numbered, FPS))
    assert middle.frames[:, 0, 0, 0].tolist() == middle.frames[:, 0, 0, 0].tolist() == [2, 3, 4, 5]
    short = Video.of(numbered[:4], FPS)
    assert VIDEO.signal.middle(short) is short


@pytest.mark.parametrize("task", ["generate", "style", "colorize", "vary", "declip"])
def test_what_clips_cannot_have_is_named(folder: Path, tmp_path: Path, task: str) -> None:
    with pytest.raises(BadValue, match=rf"{task} is no task of video; choose from superres, inpaint"):
        modaloom.train(folder, out=tmp_path / "run", task=task, steps=1, streams=["video"])
    assert not (tmp_path / "run").exists()


def test_a_network_that_sees_all_of_a_clip_is_refused(folder: Path, tmp_path: Path) -> None:
    settings = [*SMALL, "restorer.network=unet"]
    with pytest.raises(BadValue, match="network is unet; clips are answered a few frames at a time"):
        modaloom.train(folder, out=tmp_path / "run", task="superres", steps=1, settings=settings)


def test_the_tasks_of_clips_are_local() -> None:
    assert all(task.is_residual and not task.needs_color for task in TASKS_OF_CLIPS.values())
