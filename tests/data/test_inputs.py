"""What a caller names, as files with names."""

from pathlib import Path

import pytest

from modaloom.core.errors import BadValue
from modaloom.data.inputs import named_files
from modaloom.modalities import MODALITIES


def empty(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_the_picture_beside_a_clip_is_left_out_and_told(tmp_path: Path) -> None:
    """Of live photographs; a picture alone is a clip of one frame, and so is one in another folder."""
    empty(tmp_path, "IMG_1.MOV", "IMG_1.JPG", "IMG_2.jpg", "more/IMG_1.png", "notes.txt")
    said: list[str] = []
    found = named_files([tmp_path], MODALITIES["video"], said.append)
    assert found == {
        "IMG_1": tmp_path / "IMG_1.MOV",
        "IMG_2": tmp_path / "IMG_2.jpg",
        "more/IMG_1": tmp_path / "more/IMG_1.png",
    }
    assert said == [f"left out of {tmp_path}, 2 that are no video files: notes.txt, IMG_1.JPG"]


@pytest.mark.parametrize("names", [("a.mp4", "a.mov"), ("a.png", "a.jpg")])
def test_two_of_a_kind_are_refused(names: tuple[str, str], tmp_path: Path) -> None:
    empty(tmp_path, *names)
    with pytest.raises(BadValue, match="two inputs are named a"):
        named_files([tmp_path], MODALITIES["video"], pytest.fail)


def test_what_is_named_itself_is_not_left_out(tmp_path: Path) -> None:
    empty(tmp_path, "a.mov", "a.jpg")
    with pytest.raises(BadValue, match="two inputs are named a"):
        named_files([tmp_path / "a.mov", tmp_path / "a.jpg"], MODALITIES["video"], pytest.fail)
