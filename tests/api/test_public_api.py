"""The public API: real names, precise types, every default in one place, choices from the tables."""

import ast
import inspect
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import typer
from typer.testing import CliRunner

import modaloom
from modaloom import api
from modaloom.cli import app
from modaloom.core import defaults
from modaloom.diffusion.samplers import CODE_SAMPLERS
from modaloom.engines import ENGINES
from modaloom.loom.config import CodeSamplingConfig, CodeSamplingOptions
from modaloom.restorer.config import SignalSamplingConfig, SignalSamplingOptions
from modaloom.world.worlds import WORLDS

ROOT = Path(__file__).parents[2]
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
NAMES = sorted({*modaloom.__all__} - {"__version__", "CHOICES"})


def python(code: str) -> str:
    return subprocess.check_output([sys.executable, "-c", code], text=True).strip()


def test_the_package_has_the_names_of_the_api() -> None:
    assert {*modaloom.__all__} == {*api.__all__, "__version__"}
    assert {*modaloom.__all__} <= {*dir(modaloom)}
    for name in api.__all__:
        assert getattr(modaloom, name) is getattr(api, name)


def test_import_is_fast_and_knows_its_names() -> None:
    assert (
        python("import sys, modaloom; print('torch' in sys.modules, 'train' in dir(modaloom))")
        == "False True"
    )


def test_a_verb_is_not_hidden_by_the_package_of_its_name() -> None:
    """`modaloom.report`, `.bench` and `.world` are both."""
    code = """
        import modaloom.report.page, modaloom.bench, modaloom.world.worlds
        print([callable(getattr(modaloom, name)) for name in ("report", "bench", "world")])
        modaloom.train
        print([callable(getattr(modaloom, name)) for name in ("report", "bench", "world")])
    """
    assert python(textwrap.dedent(code)) == "[True, True, True]\n[True, True, True]"


def public(name: str) -> Iterator[Any]:
    """A function; or a class and its public methods."""
    found = getattr(modaloom, name)
    yield found
    if inspect.isclass(found):
        for key, member in vars(found).items():
            member = member.fget if isinstance(member, property) else member
            if not key.startswith("_") and inspect.isfunction(member) and member.__name__ == key:
                yield member


def annotations(found: Any) -> Iterator[ast.expr]:
    """As they are written: `Value` is a name there, and `Any` another one."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(found))).body
    if isinstance(node, ast.ClassDef):
        yield from (line.annotation for line in node.body if isinstance(line, ast.AnnAssign))
        return
    assert isinstance(node, ast.FunctionDef)
    others = [one for one in (node.args.vararg, node.args.kwarg) if one is not None]
    for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, *others):
        if argument.arg not in ("self", "cls"):
            assert argument.annotation is not None, (found, argument.arg)
            yield argument.annotation
    assert node.returns is not None, found
    yield node.returns


@pytest.mark.parametrize("name", NAMES)
def test_public_signatures_are_precise(name: str) -> None:
    for found in public(name):
        get_type_hints(found)
        for annotation in annotations(found):
            assert "Any" not in {n.id for n in ast.walk(annotation) if isinstance(n, ast.Name)}, found


@pytest.mark.parametrize(
    ("options", "config"),
    [(CodeSamplingOptions, CodeSamplingConfig), (SignalSamplingOptions, SignalSamplingConfig)],
)
def test_options_are_the_fields_of_their_configuration(options: Any, config: Any) -> None:
    assert is_dataclass(config)
    assert get_type_hints(options) == {
        field.name: get_type_hints(config)[field.name] for field in fields(config)
    }


@pytest.mark.parametrize("verb", COMMANDS)
def test_the_command_lines_defaults_are_the_apis(verb: str) -> None:
    parameters = inspect.signature(getattr(api, verb)).parameters
    compared = 0
    for option in COMMANDS[verb].params:
        theirs = parameters.get(option.name)
        if theirs is None or theirs.default is inspect.Parameter.empty or option.required:
            continue
        ours = option.default
        ours = str(ours) if isinstance(ours, Path) else ours
        empty = (None, "", (), [], {})
        assert ours == theirs.default or (ours in empty and theirs.default in empty), (verb, option.name)
        compared += 1
    assert compared or verb in ("report", "export", "inspect")


def test_defaults_that_stand_in_the_help_are_those_that_are_used() -> None:
    said = {
        ("generate", "n"): f"[default: {defaults.DRAWS}; with FOLDER or lines, {defaults.FOLDER_DRAWS} each]",
        ("restore", "n"): f"[default: {defaults.DRAWS}]",
        ("train", "minutes"): f"[default: {defaults.TRAIN_MINUTES:g}]",
        ("train", "seed"): f"[default: {defaults.SEED}]",
    }
    for (verb, name), text in said.items():
        (option,) = (option for option in COMMANDS[verb].params if option.name == name)
        assert text in option.help


def help_of(verb: str) -> str:
    return " ".join(CliRunner().invoke(app, [verb, "--help"]).stdout.split())


def test_help_lists_what_the_tables_hold() -> None:
    """All of it; no placeholder is left anywhere."""
    tasks = ", ".join(name for engine in ENGINES.values() for name in engine.tasks)
    assert f"Train a Restorer for this task: {tasks}." in help_of("train")
    assert ", ".join(CODE_SAMPLERS) in help_of("generate")
    assert ", ".join(WORLDS) in help_of("world")
    for verb in COMMANDS:
        assert not re.search(r"\{[a-z_]+\}", help_of(verb)), verb
        listed = [kind for kind, names in api.CHOICES.items() if ", ".join(names) in help_of(verb)]
        assert ("device" in {option.name for option in COMMANDS[verb].params}) == ("devices" in listed), verb
