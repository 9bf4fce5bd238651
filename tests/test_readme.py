"""The documents say what is true: commands parse, files exist, both READMEs agree."""

import ast
import inspect
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import typer

import modaloom
from modaloom.api import TrainedRun
from modaloom.cli import app
from modaloom.core.renamed import RENAMED
from modaloom.engines import ENGINES
from modaloom.runs.config_io import override

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh-CN.md")
DOCUMENTS = (
    *READMES,
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/benchmarks.md",
    "docs/departures.md",
    "docs/mathematics.md",
)
NO_CODE = ("bundled/",)
"""Folders of the package that nothing imports."""
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]

every_readme = pytest.mark.parametrize("name", READMES)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str = r"\w*") -> list[str]:
    """Fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text(name), re.M | re.S)


def plain(block: str) -> str:
    """Without comments, which are translated."""
    return re.sub(r" *#.*$", "", block, flags=re.M)


def commands(name: str) -> list[str]:
    """Everything that starts with `modaloom`, in blocks and in the text."""
    lines = [line for block in blocks(name, "bash") for line in plain(block).splitlines()]
    lines += re.findall(r"`([^`\n]+)`", text(name))
    return [line for line in lines if line.startswith("modaloom ")]


def tree(name: str) -> list[str]:
    """The paths of the file tree, in order."""
    (block,) = (block for block in blocks(name, "text") if block.startswith("src/modaloom/\n"))
    paths, top = [], ""
    for line in block.splitlines():
        found = re.fullmatch(r"(  )?(\S+)( +\S.*)?", line)
        assert found, line
        top = top if found[1] else found[2]
        paths.append(top + found[2] if found[1] else top)
    return paths


def headings(name: str) -> list[str]:
    """The level of each heading: `#`, `##`, …"""
    return re.findall(r"^(#+) ", re.sub(r"^```.*?^```$", "", text(name), flags=re.M | re.S), re.M)


def goals(name: str) -> list[tuple[str, str]]:
    """(Target, measured) of the figures."""
    return re.findall(r"^\|[^|]+\| ([≥≤–][^|]*) \| ([^|]*) \|$", text(name), re.M)


@every_readme
def test_commands_parse(name: str) -> None:
    assert {line.split()[1] for line in commands(name)} == set(COMMANDS)
    for line in commands(name):
        _, verb, *words = shlex.split(line)
        COMMANDS[verb].make_context(verb, words)


def test_the_check_refuses_an_unknown_option() -> None:
    with pytest.raises(Exception, match="--frames"):
        COMMANDS["report"].make_context("report", ["RUN", "--frames", "3"])


@every_readme
def test_options_beside_a_command_are_its_own(name: str) -> None:
    for verb, rest in re.findall(r"^\| `modaloom (\w+)[^`]*` \| (.*) \|$", text(name), re.M):
        known = {option for parameter in COMMANDS[verb].params for option in parameter.opts}
        assert set(re.findall(r"`(--[\w-]+)", rest)) <= known, verb


@every_readme
def test_python_compiles_and_calls_what_there_is(name: str) -> None:
    found = blocks(name, "python")
    assert found
    for block in found:
        for call in (node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Call)):
            if function := _called(call):
                given = {keyword.arg: None for keyword in call.keywords if keyword.arg}
                inspect.signature(function).bind(*call.args, **given)


@every_readme
def test_the_pieces_run_as_they_stand(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    pieces = re.findall(
        r"^```python\n(.*?)^```\n\n<!-- output -->\n```text\n(.*?)^```$", text(name), re.M | re.S
    )
    _, *alone = pieces  # the first one trains for minutes
    assert len(alone) == 4
    for code, output in alone:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            exec(compile(code, name, "exec"), {})
        assert capsys.readouterr().out == output


@every_readme
def test_settings_are_accepted(name: str) -> None:
    (block,) = (block for block in blocks(name, "text") if block.startswith("data."))
    settings = re.findall(r"\S+=\S+", block)
    assert len(settings) > 10
    for setting in settings:
        engine = ENGINES["restorer" if setting.startswith("restorer.") else "loom"]
        config = engine.config()
        assert override(config, [setting]) != config, setting


@every_readme
def test_old_names_are_beside_their_new_ones(name: str) -> None:
    """Each as `core/renamed.py` has it, by its whole or by its last part."""
    rows = re.search(r"^\| 0\.1 \| 0\.2 \|\n\|---\|---\|\n(.*?)^$", text(name), re.M | re.S)
    assert rows
    for row in rows[1].splitlines():
        old, new = (re.findall(r"`([^`]+)`", cell) for cell in row.strip("|").split(" | "))
        assert len(old) == len(new) > 0, row
        for one, other in zip(old, new, strict=True):
            before, after = one.removesuffix(".*"), other.removesuffix(".*")
            renamed = RENAMED.get(before) or RENAMED[before.rpartition(".")[2]]
            assert f".{after}".endswith(f".{renamed}"), row


def _called(call: ast.Call) -> Any:
    """What a call of `modaloom.x` or `run.x` means."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="modaloom"), attr=verb):
            return getattr(modaloom, verb)
        case ast.Attribute(value=ast.Name(id="run"), attr=verb):
            return getattr(TrainedRun, verb).__get__(object())
    return None


@every_readme
def test_the_tree_is_true(name: str) -> None:
    assert [path for path in tree(name) if not (ROOT / path).exists()] == []


@every_readme
def test_the_tree_goes_down_the_layers(name: str) -> None:
    contracts = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (contract,) = (one for one in contracts if one["type"] == "layers")
    rank = {part: i for i, layer in enumerate(contract["layers"]) for part in layer.split(" | ")}
    house = [path.removeprefix("src/modaloom/") for path in tree(name) if path.startswith("src/modaloom/")]
    parts = [part.removesuffix("/").removesuffix(".py") for part in house if part not in ("", *NO_CODE)]
    assert {*parts, "__main__"} == set(rank)
    assert [rank[part] for part in parts] == sorted(rank[part] for part in parts)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_files(name: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text(name))
    assert [link for link in links if not ((ROOT / name).parent / link).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_named_tests_exist(name: str) -> None:
    assert [test for test in _tests(name) if not _is_test(*test)] == []


def _tests(name: str) -> Iterator[tuple[str, str]]:
    yield from re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text(name))


def _is_test(path: str, function: str) -> bool:
    return (ROOT / path).is_file() and f"\ndef {function}(" in text(path)


def test_every_formula_names_its_file() -> None:
    places = "|".join(path.name for path in (ROOT / "src/modaloom").iterdir() if path.is_dir())
    named = re.findall(rf"`((?:{places})/[\w/]*)(\.py)?`", text("docs/mathematics.md"))
    assert len(named) > 30
    assert [path for path, suffix in named if not (ROOT / "src/modaloom" / f"{path}{suffix}").exists()] == []


def test_every_departure_that_concerns_code_names_a_test() -> None:
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text("docs/departures.md"), re.M | re.S))
    for title in ("Quantization", "Generation", "Diffusion"):
        departures = re.findall(r"^\*\*", sections[title], re.M)
        assert len(departures) == len(re.findall(r"^Shown by `tests/", sections[title], re.M)) > 0


def test_both_readmes_have_the_same_parts() -> None:
    first, second = READMES
    assert headings(first) == headings(second)
    assert commands(first) == commands(second)
    assert tree(first) == tree(second)
    assert goals(first) == goals(second) != []
    assert re.findall(r"^\d+\. ", text(first), re.M) == re.findall(r"^\d+\. ", text(second), re.M)


def test_both_readmes_have_the_same_blocks() -> None:
    ours, theirs = ([plain(b) for b in blocks(name) if not b.startswith("src/")] for name in READMES)
    assert ours == theirs
