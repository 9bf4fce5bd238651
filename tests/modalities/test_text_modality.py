"""Words."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modaloom.core.errors import BadFile, BadValue
from modaloom.modalities import text as texts


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"three", "three"),
        (b"three\n", "three"),
        (b"three\r\n", "three"),
        (b"three\n\n", "three\n"),
        (b"\n", ""),
        (b"\xef\xbb\xbfthree\n", "three"),
        ("日本\n".encode(), "日本"),
    ],
)
def test_one_line_ending_is_dropped(data: bytes, text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    assert texts.read(path) == text


@given(st.text(max_size=20).filter(lambda text: not text.endswith("\r") and text[:1] != "\ufeff"))
def test_any_text_survives_a_file(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.txt"
    texts.write(text, path)
    assert texts.read(path) == text


@pytest.mark.parametrize("data", ["naïve".encode("latin-1"), "three".encode("utf-16"), b"\x89PNG"])
def test_other_encodings_are_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    with pytest.raises(BadFile, match=r"a\.txt: is not UTF-8 text \(byte \d"):
        texts.read(path)


def test_a_book_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * (texts.MAX_BYTES + 1))
    with pytest.raises(BadFile, match="at most"):
        texts.read(path)


def test_a_str_is_literal(tmp_path: Path) -> None:
    for text in ("three", "@three", "@@", "two\nlines", " "):
        assert texts.coerce(text) == text
    with pytest.raises(BadValue, match="UTF-8"):
        texts.coerce("broken \udcff argument")


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n"])
def test_a_file_and_what_was_read_from_it_mean_the_same(ending: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(f"from a file{ending}".encode())
    assert texts.coerce(path.read_bytes().decode()) == texts.read(path)


def test_compare() -> None:
    assert texts.compare("abxd", "abcd", {}) == {"exact": 0, "char_error": 0.25}


def test_describe() -> None:
    assert texts.describe(["a", "bb", "a", "dddd"]) == {
        "shortest": 1,
        "median": 2,
        "longest": 4,
        "distinct": 3,
    }


@given(
    st.text(alphabet=st.sampled_from("ab \n日\u0301🙂"), min_size=1, max_size=60),
    st.integers(1, 12),
)
def test_windows_of_a_file_are_the_file(
    tmp_path_factory: pytest.TempPathFactory, text: str, most: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "long.txt"
    path.write_bytes(text.encode())
    windows = texts.windows(path, texts.TextLimits(most))
    assert "".join(windows) == text
    assert all(len(one.encode()) <= most or len(one) == 1 for one in windows)
    assert all(windows)


@pytest.mark.parametrize(
    ("text", "most", "windows"),
    [
        ("ab cd\r\nef gh", 6, ["ab cd", "\r\nef", " gh"]),
        ("e\u0301" * 5, 7, ["e\u0301e\u0301", "e\u0301e\u0301", "e\u0301"]),
        ("क\u094dष" * 2, 10, ["क\u094dष", "क\u094dष"]),
        ("👩\u200d💻" * 2, 13, ["👩\u200d💻", "👩\u200d💻"]),
        ("a" + "\u0301" * 6, 5, ["a\u0301\u0301", "\u0301\u0301", "\u0301\u0301"]),
        ("\u202e\u05d0\u05d1 \u05d2\0\u05d3", 9, ["\u202e\u05d0\u05d1", " \u05d2\0\u05d3"]),
    ],
    ids=["CRLF", "marks", "marks of a script", "joined", "too many marks", "right to left and NUL"],
)
def test_what_belongs_together_is_in_one_window(
    text: str, most: int, windows: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_bytes(text.encode())
    assert texts.windows(tmp_path / "a.txt", texts.TextLimits(most)) == windows


def test_windows_end_between_words(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("In the beginning God created the heaven\nand the earth")
    windows = texts.windows(path, texts.TextLimits(18))
    assert windows == ["In the beginning", " God created the", " heaven\nand the", " earth"]
