"""Nothing is compared with the name of a modality, quantizer, process or sampler outside of its package."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import modaloom
from modaloom.diffusion import GAUSSIAN_PROCESSES, PROCESSES
from modaloom.diffusion.samplers import CODE_SAMPLERS, continuous
from modaloom.modalities import MODALITIES
from modaloom.quantizers import QUANTIZERS

ROOT = Path(modaloom.__file__).parent
NAMES = {
    "modalities": {*MODALITIES, "audio", "video"},
    "quantizers": {*QUANTIZERS},
    "diffusion": {*PROCESSES, *CODE_SAMPLERS, *GAUSSIAN_PROCESSES, *continuous.SIGNAL_SAMPLERS},
}
"""Package → the names that only its own files may compare with."""
QUESTIONS = (
    "startswith",
    "endswith",
    "removeprefix",
    "removesuffix",
    "fullmatch",
    "match",
    "search",
    "index",
)


def asked(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(Line, literal) of every string that something is compared with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            sides = [node.value]
        elif isinstance(node, ast.MatchMapping):
            sides = node.keys
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in QUESTIONS:
            sides = node.args
        else:
            continue
        for literal in (part for side in sides for part in ast.walk(side)):
            if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
                yield literal.lineno, literal.value


@pytest.mark.parametrize("package", NAMES)
def test_no_branch_on_a_name(package: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} compares with {name!r}"
        for path in sorted(ROOT.rglob("*.py"))
        if not path.is_relative_to(ROOT / package)
        for line, name in asked(ast.parse(path.read_text(encoding="utf-8")))
        if name in NAMES[package]
    ]
    assert not found


@pytest.mark.parametrize(
    "code",
    [
        'modality == "image"',
        '"image" != modality.name',
        'modality.name in ("image", "video")',
        'match name:\n    case "image" | "video": pass',
        'name.startswith("image")',
        'x = 1 if s.modality is not "image" else 2',
    ],
)
def test_the_check_sees_a_branch(code: str) -> None:
    assert "image" in {name for _, name in asked(ast.parse(code))}


def test_the_check_sees_no_branch_in_a_table() -> None:
    assert [*asked(ast.parse('STREAMS = {"image": Rule("image", render)}; x = STREAMS["image"]'))] == []
