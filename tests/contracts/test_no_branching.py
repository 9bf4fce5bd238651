"""Outside of its package, nothing asks which modality, tokenizer, quantizer, process or sampler it has.

Not by name (`== "image"`, through a constant, too), not by class (`isinstance`, `type(x) is`, `case VQ()`),
and nowhere by looking whether an attribute is there (`hasattr`, `getattr` with a default).
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

import modaloom
from modaloom.diffusion import GAUSSIAN_PROCESSES, PROCESSES
from modaloom.diffusion.samplers import CODE_SAMPLERS, continuous
from modaloom.modalities import MODALITIES
from modaloom.quantizers import QUANTIZERS
from modaloom.tokenizers import TOKENIZERS

ROOT = Path(modaloom.__file__).parent
NAMES = {
    "modalities": {*MODALITIES, "audio", "video"},
    "tokenizers": {*TOKENIZERS},
    "quantizers": {*QUANTIZERS},
    "diffusion": {*PROCESSES, *CODE_SAMPLERS, *GAUSSIAN_PROCESSES, *continuous.SIGNAL_SAMPLERS},
}
"""Package → the names, and whose classes, only its own files may ask for."""
ALLOWED_PROBES = {
    (
        "training/accelerator.py",
        "hidden_matrices",
    ): "any torch module may be trained",
    ("restorer/restorer.py", "hidden_matrices"): "any torch module may be its network",
    ("cli/app.py", "option_name"): "the command-line library has errors with and without an option",
    ("modalities/picture_facts.py", "tile"): "Pillow's pictures from files have it, and no others",
    ("modalities/picture_facts.py", "n_frames"): "Pillow's formats that may be animated have it",
    ("modalities/picture_facts.py", "tag_v2"): "Pillow's TIFF files have it",
}
"""(File, attribute) → why it may look whether an object has it."""
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

Constants = Mapping[str, tuple[str, ...]]
"""Name → the strings that it stands for."""


def asked(tree: ast.AST, constants: Constants) -> Iterator[tuple[int, str]]:
    """(Line, string) of every literal or constant that something is compared with."""
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
        for part in (part for side in sides for part in ast.walk(side)):
            for text in strings(part, constants):
                yield part.lineno, text


def strings(node: ast.AST, constants: Constants) -> tuple[str, ...]:
    """What a literal, the name of a constant, or a constant of a module stands for."""
    if isinstance(node, ast.Constant):
        return (node.value,) if isinstance(node.value, str) else ()
    name = getattr(node, "id", getattr(node, "attr", ""))
    return constants.get(name, ()) if name.lstrip("_").isupper() else ()


def assigned(tree: ast.AST) -> dict[str, tuple[str, ...]]:
    """The constants of a file that hold strings, alone or in a tuple, list or set."""
    found: dict[str, tuple[str, ...]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for name, value in pairs(target, node.value):
                    parts = value.elts if isinstance(value, ast.Tuple | ast.List | ast.Set) else [value]
                    if texts := tuple(text for part in parts for text in strings(part, found)):
                        found[name] = texts
    return found


def pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """`A = …` and `A, B = …, …`."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for part, own in zip(target.elts, value.elts):
            yield from pairs(part, own)


def classes(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(Line, class) of every class that an object is asked whether it is of."""
    for node in ast.walk(tree):
        sides: list[ast.expr] = []
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("isinstance", "issubclass"):
            sides = node.args[1:]
        elif isinstance(node, ast.MatchClass):
            sides = [node.cls]
        elif isinstance(node, ast.Compare):
            both = [node.left, *node.comparators]
            if any(isinstance(side, ast.Call) and getattr(side.func, "id", "") == "type" for side in both):
                sides = both
        for part in (part for side in sides for part in ast.walk(side)):
            if name := getattr(part, "id", getattr(part, "attr", "")):
                yield part.lineno, name


def probes(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(Line, attribute) of every `hasattr`, and of every `getattr` with a default."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and len(node.args) > 1:
            name, attribute = getattr(node.func, "id", ""), node.args[1]
            if name == "hasattr" or (name == "getattr" and len(node.args) > 2):
                text = attribute.value if isinstance(attribute, ast.Constant) else ast.unparse(attribute)
                yield node.lineno, str(text)


@cache
def files() -> Mapping[Path, ast.AST]:
    """Path below the package → its syntax tree."""
    return {
        path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(ROOT.rglob("*.py"))
    }


def outside(package: str) -> Iterator[tuple[Path, ast.AST]]:
    return ((path, tree) for path, tree in files().items() if path.parts[0] != package)


def imported(tree: ast.AST, known: Mapping[str, Constants]) -> dict[str, tuple[str, ...]]:
    """The constants that a file has from others of the package, those of modules that it names among them."""
    found: dict[str, tuple[str, ...]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                held = known.get(node.module, {})
                if alias.name in held:
                    found[alias.asname or alias.name] = held[alias.name]
                found |= known.get(f"{node.module}.{alias.name}", {})
    return found


@cache
def constants_of() -> Mapping[Path, Constants]:
    """File → the constants that it has or imports."""
    own = {path: assigned(tree) for path, tree in files().items()}
    modules = {".".join(["modaloom", *path.with_suffix("").parts]): held for path, held in own.items()}
    known = {name.removesuffix(".__init__"): held for name, held in modules.items()}
    return {path: {**imported(tree, known), **own[path]} for path, tree in files().items()}


@pytest.mark.parametrize("package", NAMES)
def test_no_branch_on_a_name(package: str) -> None:
    found = [
        f"{path}:{line} compares with {name!r}"
        for path, tree in outside(package)
        for line, name in asked(tree, constants_of()[path])
        if name in NAMES[package]
    ]
    assert not found


@pytest.mark.parametrize("package", NAMES)
def test_no_branch_on_a_class(package: str) -> None:
    own = {
        node.name
        for path, tree in files().items()
        if path.parts[0] == package
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = [
        f"{path}:{line} asks whether something is a {name}"
        for path, tree in outside(package)
        for line, name in classes(tree)
        if name in own
    ]
    assert not found


def test_nothing_looks_whether_an_attribute_is_there() -> None:
    found = {(path.as_posix(), name) for path, tree in files().items() for _, name in probes(tree)}
    assert found == ALLOWED_PROBES.keys()


@pytest.mark.parametrize(
    "code",
    [
        'modality == "image"',
        '"image" != modality.name',
        'modality.name in ("image", "video")',
        'match name:\n    case "image" | "video": pass',
        'name.startswith("image")',
        'x = 1 if s.modality is not "image" else 2',
        'WHAT = "image"\nmodality == WHAT',
        'WHAT: str = "image"\nWHAT != modality.name',
        'OTHER, WHAT = "text", "image"\nname.startswith(WHAT)',
        'KINDS = ("image", "text")\nmodality in KINDS',
        'WHAT = "image"\nKINDS = {WHAT, "text"}\nmodality in KINDS',
        'WHAT = "image"\nmatch name:\n    case module.WHAT: pass',
    ],
)
def test_the_check_sees_a_branch(code: str) -> None:
    tree = ast.parse(code)
    assert "image" in {name for _, name in asked(tree, assigned(tree))}


def test_the_check_follows_an_imported_constant() -> None:
    known = {"modaloom.a": {"WHAT": ("image",)}}
    for code in (
        "from modaloom.a import WHAT\nm == WHAT",
        "from modaloom.a import WHAT as W\nm == W",
        "from modaloom import a\nm == a.WHAT",
    ):
        tree = ast.parse(code)
        assert [name for _, name in asked(tree, imported(tree, known))] == ["image"]


def test_the_check_sees_no_branch_in_a_table() -> None:
    tree = ast.parse('STREAMS = {"image": Rule("image", render)}; x = STREAMS["image"]; y = f(WHAT)')
    assert [*asked(tree, {"WHAT": ("image",)})] == []


@pytest.mark.parametrize(
    "code",
    [
        "isinstance(t, VQVAETokenizer)",
        "assert isinstance(t, (BPE, tokenizers.VQVAETokenizer))",
        "isinstance(t, BPE | VQVAETokenizer)",
        "issubclass(kind, VQVAETokenizer)",
        "type(t) is VQVAETokenizer",
        "VQVAETokenizer == type(t)",
        "match t:\n    case VQVAETokenizer(): pass",
    ],
)
def test_the_check_sees_a_class(code: str) -> None:
    assert "VQVAETokenizer" in {name for _, name in classes(ast.parse(code))}


def test_the_check_sees_no_class_in_an_annotation() -> None:
    assert [*classes(ast.parse("x: BPE = BPE(y); TABLE = {BPE: f}; TABLE[type(x)]"))] == []


@pytest.mark.parametrize(
    "code", ['hasattr(m, "pack")', 'getattr(m, "pack", None)', 'getattr(m, "pack", f)()']
)
def test_the_check_sees_a_probe(code: str) -> None:
    assert [name for _, name in probes(ast.parse(code))] == ["pack"]


def test_the_check_sees_no_probe_in_an_access() -> None:
    assert [*probes(ast.parse("getattr(m, field.name)"))] == []
