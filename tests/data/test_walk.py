"""Links, loops, pipes and locked doors."""

import os
from pathlib import Path

import pytest
from trees import Tree

from modaloom.data.walk import Problem, format_problems, walk_files


def found(root: Path) -> tuple[list[str], dict[str, str]]:
    everything = list(walk_files(root))
    files = [one.relative_to(root).as_posix() for one in everything if isinstance(one, Path)]
    return files, {one.path: one.reason for one in everything if isinstance(one, Problem)}


def test_files_come_in_order_without_the_ignored(tree: Tree) -> None:
    root = tree(
        {"b.txt": "", "a/c.txt": "", "a/Thumbs.db": "", ".e/f.txt": "", "README.md": "", "__MACOSX/h.txt": ""}
    )
    assert found(root) == (["b.txt", "a/c.txt"], {})


@pytest.mark.timeout(10)
def test_what_is_no_file_is_named(tree: Tree) -> None:
    root = tree({"a.txt": "x", "sub/b.txt": "y"})
    os.mkfifo(root / "pipe.txt")
    (root / "broken.txt").symlink_to("nowhere")
    (root / "self.txt").symlink_to("self.txt")
    (root / "sub" / "up").symlink_to(root)
    files, problems = found(root)
    assert files == ["a.txt", "sub/b.txt"]
    assert problems == {
        "pipe.txt": "is not a regular file",
        "broken.txt": "cannot be read (No such file or directory)",
        "self.txt": "cannot be read (Too many levels of symbolic links)",
        "sub/up": "is a link to a folder that is already included",
    }


@pytest.mark.timeout(10)
def test_links_between_folders_do_not_multiply(tree: Tree) -> None:
    root = tree({f"{i}/a.txt": "x" for i in range(12)})
    for i in range(12):
        for j in range(12):
            (root / str(i) / f"to{j}").symlink_to(root / str(j))
    files, problems = found(root)
    assert len(files) == 12
    assert len(problems) == 144


def test_links_to_files_and_folders_elsewhere_are_followed(tree: Tree, tmp_path: Path) -> None:
    root = tree({"a.txt": "x"})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "b.txt").write_text("y")
    (root / "other").symlink_to(tmp_path / "other")
    (root / "c.txt").symlink_to(tmp_path / "other" / "b.txt")
    assert found(root) == (["a.txt", "c.txt", "other/b.txt"], {})


def test_files_without_permission_are_named(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree({"a.txt": "x", "b.txt": "x"})
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "b.txt")  # the superuser may read all
    assert found(root) == (["a.txt"], {"b.txt": "cannot be read (Permission denied)"})


def test_names_that_cannot_be_printed_are_left_out(tree: Tree) -> None:
    root = tree({"a.txt": "x", "b\n.txt": "x"})
    Path(os.fsdecode(os.fsencode(root) + b"/\xff.txt")).write_text("x")
    files, problems = found(root)
    assert files == ["a.txt"]
    assert set(problems) == {"b\n.txt", "\ufffd.txt"}


@pytest.mark.parametrize("character", ["\u202f", "\u00a0", "\u3000", "\u200d", "\u00e9", "\U0001f469"])
def test_unusual_spaces_and_joiners_are_names(character: str, tree: Tree) -> None:
    """Of a screenshot, say: 9.41\u202fAM."""
    name = f"9.41{character}AM.txt"
    assert found(tree({name: "x"})) == ([name], {})


def test_deep_folders_are_no_trouble(tree: Tree) -> None:
    folder = root = tree({})
    for _ in range(450):
        folder = folder / "d"
        folder.mkdir()
    (folder / "a.txt").write_text("x")
    assert len(found(root)[0]) == 1


def test_listing_is_short() -> None:
    problems = [Problem(str(i), "is bad") for i in range(12)]
    assert format_problems(problems).splitlines()[9:] == ["  9: is bad", "  … and 2 more"]
    assert format_problems(problems[:1]) == "  0: is bad"
