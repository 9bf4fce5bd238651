"""Which streams go into one file, under which names."""

import pytest

from modaloom.core.errors import BadValue
from modaloom.core.types import Sample
from modaloom.loom.muxing import Muxing

KINDS = {"clip": "video", "voice": "audio", "song": "audio", "words": "text"}


def test_a_wanted_clip_takes_a_sound_that_is_wanted_or_given() -> None:
    muxing = Muxing.of("clip+voice", ["clip", "voice"], ["song"], KINDS)
    assert muxing.modality_of == {"clip.sound": "audio"}
    drawn = Sample("0", {"clip": "c", "voice": "v", "words": "w"})
    assert muxing.joined(drawn, {"song": "s"}).streams == {"clip": "c", "clip.sound": "v", "words": "w"}
    muxing = Muxing.of("clip+song", ["clip"], ["song"], KINDS)
    assert muxing.joined(Sample("0", {"clip": "c"}), {"song": "s"}).streams == {
        "clip": "c",
        "clip.sound": "s",
    }
    alone = Sample("0", {"clip": "c"})
    assert muxing.joined(alone, {}) is alone


@pytest.mark.parametrize(
    "names",
    [
        "clip",
        "clip+",
        "+voice",
        "clip+clip",
        "clip+other",
        "song+clip",
        "clip+voice+song",
        "voice",
        "klip+voice",
    ],
)
def test_other_names_are_refused(names: str) -> None:
    with pytest.raises(BadValue, match="give CLIP\\+SOUND"):
        Muxing.of(names, ["clip", "voice", "klip"], ["song"], KINDS)


def test_a_track_that_is_wanted_itself_is_not_written_over() -> None:
    kinds = {**KINDS, "clip.sound": "audio"}
    with pytest.raises(BadValue, match=r"clip\.sound is wanted, too"):
        Muxing.of("clip+voice", ["clip", "voice", "clip.sound"], [], kinds)
    assert Muxing.of("clip+clip.sound", ["clip"], ["clip.sound"], kinds).stream == "clip.sound"


@pytest.mark.parametrize("names", ["clip+words", "voice+song", "words+voice"])
def test_what_no_file_holds_together_is_refused(names: str) -> None:
    with pytest.raises(BadValue, match="beside their own"):
        Muxing.of(names, ["clip", "voice", "words"], ["song"], KINDS)
