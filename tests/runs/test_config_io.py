"""Trees of dataclasses ↔ plain data, and the errors that people meet when they type."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from modaloom.core.errors import BadValue, check_range
from modaloom.runs.config_io import from_plain, literal, override, to_plain


@dataclass(frozen=True)
class Leaf:
    depth: int = 3
    rate: float = 0.5
    widths: tuple[int, ...] = (1, 2)
    kind: Literal["a", "b"] = "a"

    def __post_init__(self) -> None:
        check_range("depth", self.depth, 1)


@dataclass(frozen=True)
class Tree:
    seed: int = 0
    minutes: float | None = None
    loom: Leaf = field(default_factory=Leaf)
    steps: dict[str, int] = field(default_factory=dict)


def test_there_and_back() -> None:
    tree = Tree(7, 1.5, Leaf(4, 2, (5,), "b"), {"tokenizer.image": 10})
    assert from_plain(Tree, to_plain(tree)) == tree
    assert to_plain(tree)["loom"]["widths"] == [5]


def test_absent_keys_take_defaults() -> None:
    assert from_plain(Tree, {"loom": {"depth": 9}}) == Tree(loom=Leaf(depth=9))


def test_settings_apply_in_order_and_leave_the_original() -> None:
    tree = Tree()
    changed = override(
        tree, ["loom.depth=6", "minutes=8", "loom.widths=[3, 4]", "loom.depth=7", "loom.kind=b"]
    )
    assert changed == Tree(minutes=8.0, loom=Leaf(7, 0.5, (3, 4), "b"))
    assert tree == Tree()


def test_a_setting_reaches_keys_with_dots_in_a_mapping() -> None:
    assert override(Tree(), ["steps.tokenizer.image=30"]).steps == {"tokenizer.image": 30}


def test_null_unsets() -> None:
    assert override(Tree(minutes=3), ["minutes=null"]).minutes is None


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("loom.dpeth=6", ["loom.dpeth", "did you mean 'loom.depth'"]),
        ("lom.depth=6", ["'lom'", "did you mean 'loom'"]),
        ("loom.depth", ["KEY=VALUE"]),
        ("loom.depth=deep", ["loom.depth", "'deep'", "integer"]),
        ("loom.depth=6.5", ["loom.depth", "6.5", "integer"]),
        ('loom.depth="6"', ["loom.depth", "'6'", "integer"]),
        ("loom.depth=true", ["loom.depth", "integer"]),
        ("loom.depth=0", ["loom", "depth is 0", "at least 1"]),
        ("loom.depth.more=1", ["loom.depth", "'more'"]),
        ("loom=3", ["loom", "3"]),
        ("loom.kind=c", ["loom.kind", "'c'", "'a' or 'b'"]),
        ("loom.widths=[1, x]", ["loom.widths", "[1, x]"]),
        ("steps.loom=many", ["steps.loom", "'many'"]),
        ("=3", ["unknown setting ''"]),
    ],
)
def test_what_cannot_be_set_is_named(setting: str, words: list[str]) -> None:
    with pytest.raises(BadValue) as caught:
        override(Tree(), [setting])
    for word in words:
        assert word in str(caught.value)


def test_a_dataclass_speaks_for_itself() -> None:
    with pytest.raises(BadValue, match=r"^loom: depth is 0; it must be at least 1$"):
        override(Tree(), ["loom.depth=0"])


def test_unknown_keys_at_any_depth_are_refused() -> None:
    with pytest.raises(BadValue, match=r"loom\.deep.*did you mean 'loom\.depth'"):
        from_plain(Tree, {"loom": {"deep": 1}})
    with pytest.raises(BadValue, match=r"unknown setting 'sed'.*'seed'"):
        from_plain(Tree, {"sed": 1})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("6", 6),
        ("1e-3", 1e-3),
        ("true", True),
        ("null", None),
        ("[1, 2]", [1, 2]),
        ("1_000", 1000),
        ("'x'", "x"),
        ("masked", "masked"),
        ("", ""),
        ("a=b", "a=b"),
    ],
)
def test_literals(text: str, value: object) -> None:
    assert literal(text) == value
    assert type(literal(text)) is type(value)
