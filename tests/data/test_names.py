"""What file names say."""

import pytest

from modaloom.data.names import Name, is_ignored, is_stream_name, parse_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("0001.png", Name("0001", "image", "image")),
        ("0001.PNG", Name("0001", "image", "image")),
        ("0001.txt", Name("0001", "text", "text")),
        ("0001.json", Name("0001", "record", "record")),
        ("0001.caption.txt", Name("0001", "caption", "text")),
        ("0001.caption.zh.txt", Name("0001", "caption.zh", "text")),
        ("0001.image.gray.png", Name("0001", "image.gray", "image")),
        ("IMG_2023.05.01.png", Name("IMG_2023.05.01", "image", "image")),
        ("IMG_2023.05.01.caption.txt", Name("IMG_2023.05.01", "caption", "text")),
        ("a.b c.png", Name("a.b c", "image", "image")),
        ("a..png", Name("a.", "image", "image")),
        ("notes", None),
        ("0001.xyz", None),
        ("png", None),
    ],
)
def test_key_stream_and_modality(name: str, expected: Name | None) -> None:
    assert parse_name(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "_world.jsonl",
        "_provenance.jsonl",
        ".git",
        "README.md",
        "README",
        "LICENSE.txt",
        "Thumbs.db",
        "__MACOSX",
    ],
)
def test_names_that_are_never_samples(name: str) -> None:
    assert is_ignored(name)


@pytest.mark.parametrize(
    "name", ["readme_scan.png", "_DSC1000.JPG", "LICENSE_plate_1.jpg", "README.png", "_notes.txt", "_a"]
)
def test_other_names_may_be(name: str) -> None:
    """A camera's pictures begin with an underscore, and a number plate's with LICENSE."""
    assert not is_ignored(name)


def test_stream_names() -> None:
    assert is_stream_name("a.b_c-d")
    assert not any(map(is_stream_name, ["2nd", "", "a b", "a.", "a/b"]))
