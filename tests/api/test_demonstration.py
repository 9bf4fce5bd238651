"""What a demo is made of: four still and silent streams, and from half an hour on speech, music and clips."""

import sys
from pathlib import Path
from typing import Any

import pytest

from modaloom import api
from modaloom.api.callbacks import TrainCallbacks
from modaloom.core.errors import BadValue
from modaloom.recipes.demo import DemoWorld, demo

SILENT, MOVING = ("image", "caption", "question", "answer"), ("speech", "music", "video")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Options of a demo → the streams of its world, of its training and those that it may generate, and what
    it told."""

    def call(**options: Any) -> tuple[Any, Any, Any, list[str]]:
        module, told = sys.modules["modaloom.api.demonstration"], []
        worlds, found = [], []
        monkeypatch.setattr(module, "world", lambda folder, **how: worlds.append(how))
        monkeypatch.setattr(module, "train", lambda folder, **how: found.append(how["config"]))
        api.demo(out=tmp_path / "demo", callbacks=TrainCallbacks(notify=told.append), **options)
        (written,), (config,) = worlds, found
        assert written["fixed"] == ({} if "video" in written["streams"] else {"motion": "still"})
        return written["streams"], config.data.streams, config.loom.mixture.wanted, told

    return call


def test_the_short_demo_is_still_and_silent(asked: Any) -> None:
    assert asked() == (SILENT, SILENT, ("image", "caption", "answer"), [])
    assert asked(minutes=29)[0] == SILENT
    assert demo() == demo(SILENT)


def test_half_an_hour_has_sounds_and_clips(asked: Any) -> None:
    every = (*SILENT, *MOVING)
    assert asked(minutes=30) == (every, every, ("image", "caption", "answer", *MOVING), [])
    assert asked(minutes=30, streams=["image", "caption"])[0] == ("image", "caption")


@pytest.mark.parametrize(
    ("module", "stream", "extra"), [("espeakng_loader", "speech", "speech"), ("av", "video", "media")]
)
def test_without_an_extra_it_goes_on_without_its_stream(
    asked: Any, monkeypatch: pytest.MonkeyPatch, module: str, stream: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    written, *_, told = asked(minutes=30)
    assert written == (*SILENT, *(name for name in MOVING if name != stream))
    assert told == [f"the demo goes on without {stream}; it needs pip install 'modaloom[{extra}]'"]


def test_without_espeak_speech_that_is_asked_for_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(BadValue, match=r"pip install 'modaloom\[speech\]'"):
        api.demo(out=tmp_path / "named", streams="speech")
    assert not [*tmp_path.iterdir()]


def test_the_world_of_the_demo_has_not_changed() -> None:
    assert (DemoWorld().streams, DemoWorld().samples, DemoWorld().held_out) == (SILENT, 8000, 500)


def test_a_demo_that_goes_on_has_its_own_streams(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(BadValue, match="goes on with its own streams"):
        api.demo(out=tmp_path, streams=["image", "caption"])
