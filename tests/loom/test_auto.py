"""The preset `auto`: the largest configuration that trains well in the time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from modaloom.core.errors import BadFolder
from modaloom.core.types import Sample
from modaloom.data.folder import Folder, open_folder
from modaloom.loom import auto
from modaloom.loom.auto import LADDER, FolderTrials, _few, choose, sufficiency
from modaloom.loom.config import LoomRunConfig, tiny
from modaloom.modalities.video import VIDEO
from modaloom.modalities.video_value import Video
from modaloom.runs.config_io import override
from modaloom.training.accelerator import Accelerator

ACCELERATOR = Accelerator("cpu", "fp32")


@dataclass
class Device:
    """Trials on a device that makes so many steps a minute of each configuration, by its `max_side`."""

    rates: Mapping[int, float]
    side: int
    """Of the data's images."""
    memory: int = 1024
    """The largest side that fits."""
    tried: list[int] = field(default_factory=list)

    def missing(self, config: LoomRunConfig) -> Mapping[str, int]:
        return {"image.max_side": self.side} if self.side > side_of(config) else {}

    def steps(self, config: LoomRunConfig, minutes: float) -> Mapping[str, int]:
        side = side_of(config)
        self.tried.append(side)
        if side > self.memory:
            raise torch.OutOfMemoryError
        return {"image": int(self.rates[side] * minutes), "loom": int(self.rates[side] * minutes)}


def side_of(config: LoomRunConfig) -> int:
    side: int = config.data.limits_of("image").max_side
    return side


def folder(n: int = 100) -> Folder:
    samples = [Sample(f"{i:06}", {"image": Path(f"{i:06}.png")}) for i in range(n)]
    return Folder(Path("nowhere"), samples, {"image": "image"}, None, [])


def chosen(device: Device, minutes: float, n: int = 100) -> tuple[LoomRunConfig, list[str]]:
    said: list[str] = []
    config = choose(folder(n), lambda run: run, minutes, ACCELERATOR, notify=said.append, trials=device)
    return config, said


def test_small_images_need_no_trial() -> None:
    device = Device({}, side=32)
    assert chosen(device, 15) == (tiny(), [])
    assert device.tried == []


def test_a_slow_device_says_what_more_time_would_give() -> None:
    """1,500 steps each in 15 minutes, 2,000 are needed: three times as many for a try, 60 minutes."""
    config, (sentence,) = chosen(Device({32: 100}, side=512), 15)
    assert config == tiny()
    assert sentence == (
        "preset auto: tiny, about 1,500 image + 1,500 loom steps in 15 minutes (cpu, fp32); "
        "image.max_side is 32, the data has up to 512; "
        "tiny at 64 px needs at least 60 minutes on this device, or a faster one"
    )


def test_a_try_that_is_too_slow_says_how_long_it_takes() -> None:
    config, (sentence,) = chosen(Device({32: 1000, 64: 100}, side=512), 15)
    assert config == tiny()
    assert sentence.endswith("tiny at 64 px needs about 20 minutes on this device, or a faster one")


@pytest.mark.parametrize(
    ("samples", "side"),
    [(100, 64), (4_999, 64), (5_000, 64), (50_000, 128)],
    ids=["few", "almost enough for small", "small", "base"],
)
def test_a_fast_device_climbs_as_far_as_the_samples_reach(samples: int, side: int) -> None:
    config, (sentence,) = chosen(Device({32: 1e6, 64: 1e5, 128: 1e4}, side=512), 15, samples)
    assert side_of(config) == side
    assert config.loom.width == {100: 128, 4_999: 128, 5_000: 384, 50_000: 768}[samples]
    assert ("is for 5,000 samples and more" in sentence) == (samples < 5_000)


def test_images_that_a_rung_holds_whole_climb_no_further() -> None:
    device = Device({32: 1e6, 64: 1e5, 128: 1e4}, side=60)
    config, (sentence,) = chosen(device, 15, 60_000)
    assert (side_of(config), config.loom.width, device.tried) == (64, 128, [32, 64])
    assert "the data has" not in sentence


def test_what_does_not_fit_the_memory_is_named() -> None:
    config, (sentence,) = chosen(Device({32: 1e6}, side=512, memory=32), 15)
    assert config == tiny()
    assert sentence.endswith("tiny at 64 px does not fit the device's memory")


def test_a_limit_of_the_users_own_is_kept() -> None:
    limits = {"image": {"max_side": 48}}

    def complete(run: LoomRunConfig) -> LoomRunConfig:
        return replace(run, data=replace(run.data, limits=limits))

    device = Device({48: 1e6}, side=512)
    config = choose(folder(), complete, 15, ACCELERATOR, trials=device)
    assert (config.data.limits, device.tried) == (limits, [48])


def test_the_worst_stage_decides() -> None:
    assert sufficiency({"image": 500, "loom": 20_000}) == 0.5
    assert sufficiency({"image": 5_000, "text": 1_000, "loom": 1_000}) == 0.5


def test_a_trial_sees_training_samples_of_every_stream() -> None:
    """Of two thousand, three of training have the rare stream; those of the test split do not count."""
    names = [f"test/{i:04}" for i in range(60)] + [f"train/{i:04}" for i in range(2000)]
    rare = {*names[:20], *names[777:780]}
    samples = [
        Sample(name, {"image": Path(name), **({"tag": Path(name)} if name in rare else {})}) for name in names
    ]
    splits = {name: name.partition("/")[0] for name in names}
    index = Folder(Path("nowhere"), samples, {"image": "image", "tag": "text"}, splits, [])
    chosen = _few(index, tiny())
    assert {sample.key for sample in chosen if "tag" in sample.streams} == {*names[777:780]}
    assert {splits[sample.key] for sample in chosen} == {"train"}
    assert 200 < len(chosen) < 400


def test_samples_that_say_nothing_leave_the_first_rung() -> None:
    class Unreadable(Device):
        def missing(self, config: LoomRunConfig) -> Mapping[str, int]:
            raise BadFolder("none of the few can be read")

    assert chosen(Unreadable({}, side=512), 15) == (tiny(), [])


def test_trials_on_a_real_folder(tmp_path: Path) -> None:
    """Images of 80 px and one of 100, of which 32 px keep neither."""
    pixels = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    for i in range(12):
        side = 100 if i == 5 else 80
        Image.fromarray(pixels[:side, :side]).save(tmp_path / f"{i:02}.png")
    (tmp_path / "03.txt").write_text("a rare caption")
    trials = FolderTrials(open_folder(tmp_path), ACCELERATOR)
    assert trials.missing(LADDER[0].config()) == {"image.max_side": 100}
    assert trials.missing(LADDER[1].config()) == {"image.max_side": 100}
    steps = trials.steps(tiny(), 5)
    assert steps.keys() == {"image", "loom"}
    assert min(steps.values()) > 10
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix not in (".png", ".txt")) == []


@pytest.mark.parametrize(("minutes", "rung", "side"), [(0.01, "tiny", 32), (1e6, "tiny at 64 px", 64)])
def test_clips_climb_by_measured_steps(
    minutes: float, rung: str, side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 48 px and 12 frames a second, of which the first rung keeps 32 and 8."""
    pytest.importorskip("av")
    monkeypatch.setattr(auto, "TRIAL_SECONDS", 0.0)
    pixels = np.random.default_rng(0).integers(0, 256, (9, 48, 48, 3), np.uint8)
    for i in range(8):
        VIDEO.write(Video.of(pixels, 12), tmp_path / f"{i}.mp4")
    index, said = open_folder(tmp_path), list[str]()
    trials = FolderTrials(index, ACCELERATOR)
    assert trials.missing(small_clips(LADDER[0].config())) == {"video.max_side": 48, "video.max_fps": 12}
    assert trials.missing(small_clips(LADDER[1].config())) == {"video.max_fps": 12}
    found = choose(index, small_clips, minutes, ACCELERATOR, notify=said.append)
    assert found.data.limits_of("video").max_side == side
    assert said[0].startswith(f"preset auto: {rung}, about ")
    assert " video + " in said[0]


def small_clips(run: LoomRunConfig) -> LoomRunConfig:
    """Networks that a test has time for."""
    loom = ("loom.width=32", "loom.num_heads=2", "loom.num_layers=1")
    return override(run, ["tokenizers.video.widths=[4,4,4]", *loom])
