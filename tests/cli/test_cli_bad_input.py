"""A wrong call: exit code 2, one line that names what is wrong, nothing written."""

import json
import shutil
from pathlib import Path

import pytest
from calling import Call, call, tree

from modaloom.core.errors import BadValue


@pytest.mark.parametrize(
    "words", [("inspect",), ("train", "--out", "out"), ("train", "--resume", "--out", "out")]
)
def test_a_folder_that_is_missing_or_empty(words: tuple[str, ...], tmp_path: Path, refused: Call) -> None:
    (tmp_path / "empty").mkdir()
    refused(*words, "nowhere", names="nowhere is not a folder")
    refused(*words, "empty", names="empty has no samples")


def test_commands_on_a_run_refuse_such_folders_too(run: Path, tmp_path: Path, refused: Call) -> None:
    (tmp_path / "empty").mkdir()
    for folder, why in (("nowhere", "nowhere is not a folder"), ("empty", "empty has no samples")):
        refused("evaluate", run, folder, "--json", "rows.json", names=why)
        refused("tokenize", run, folder, "--out", "out", names=why)
        refused("generate", run, folder, "--want", "image", "--out", "out", names=why)
    refused("detokenize", run, "empty", "--out", "out", names="empty has no codes")


def test_two_files_for_one_stream(tmp_path: Path, refused: Call) -> None:
    (tmp_path / "pairs").mkdir()
    for name in ("1.caption.txt", "1.txt", "1.image.txt"):
        (tmp_path / "pairs" / name).write_text("words\n")
    (tmp_path / "pairs" / "1.text.txt").write_text("words\n")
    refused("train", "pairs", "--out", "out", names="two values for stream 'text' of sample '1'")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--given", "imag=x.png", "--want", "caption"), "unknown stream 'imag' (did you mean 'image'?)"),
        (("--want", "captoin"), "unknown stream to want 'captoin' (did you mean 'caption'?)"),
        (("--want", ""), "nothing is wanted"),
        (("--want", "missing"), "FOLDER"),
        (("--given", "caption=x", "--want", "caption"), "caption is both given and wanted"),
        (("--given", "caption", "--want", "image"), "write STREAM=VALUE"),
        (("--given", "caption=a", "--given", "caption=b", "--want", "image"), "once for every stream"),
        (("--given", "image=nowhere.png", "--want", "caption"), "nowhere.png: cannot be read"),
        (("--given", "image=words.txt", "--want", "caption"), "words.txt: "),
        (("--given", "caption=@latin.txt", "--want", "image"), "latin.txt: is not UTF-8 text"),
        (("--want", "image", "--n", "0"), "n is 0"),
        (("--want", "image", "--n", "-3"), "n is -3"),
        (("--want", "image", "--n", "two"), "'--n'"),
        (("--want", "image", "--steps", "0"), "steps is 0"),
        (("--want", "image", "--temperature", "-1"), "temperature is -1"),
        (("--want", "image", "--temperature", "nan"), "temperature is nan"),
        (("--want", "image", "--guidance", "-1"), "guidance is -1"),
        (("--want", "image", "--top-p", "0"), "top_p is 0; it must be more than 0 and at most 1"),
        (("--want", "image", "--top-p", "1.1"), "top_p is 1.1"),
        (("--want", "image", "--remask", "-1"), "remask is -1"),
        (("--want", "image", "--sampler", "maskgid"), "did you mean 'maskgit'?"),
    ],
)
def test_generate(words: tuple[str, ...], why: str, run: Path, tmp_path: Path, refused: Call) -> None:
    (tmp_path / "words.txt").write_text("no picture\n")
    (tmp_path / "latin.txt").write_bytes("café".encode("latin-1"))
    refused("generate", run, *words, "--out", "out", names=why)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--set", "loom.num_layer=2"), "unknown setting 'loom.num_layer' (did you mean 'loom.num_layers'?)"),
        (("--set", "loom.num_layers=two"), "loom.num_layers is 'two'"),
        (
            ("--set", "loom.process=uniform", "--set", "loom.sampling.sampler=maskgit"),
            "'maskgit' does not fit the process 'uniform'; choose from: ancestral, remasking",
        ),
        (("--set", "loom.num_layers"), "write KEY=VALUE"),
        (("--streams", "image,captoin"), "unknown stream 'captoin' (did you mean 'caption'?)"),
        (("--steps", "0"), "steps.image is 0"),
        (("--steps", "many"), "--steps 'many'"),
        (("--steps", "lom=3"), "unknown stage 'lom' (did you mean 'loom'?)"),
        (("--minutes", "0"), "minutes is 0"),
        (("--seed", "-1"), "seed is -1"),
        (("--preset", "tinny"), "unknown preset 'tinny' (did you mean 'tiny'?)"),
        (("--device", "gpu"), "unknown device 'gpu'"),
        (("--config", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_train(words: tuple[str, ...], why: str, world: Path, refused: Call) -> None:
    refused("train", world, "--out", "out", *words, names=why)


def test_other_ranges(run: Path, world: Path, refused: Call) -> None:
    refused("evaluate", run, world, "--n", 0, "--json", "rows.json", names="n is 0")
    refused("evaluate", run, world, "--rows", "capton->image", names="did you mean 'caption'")
    refused("evaluate", run, world, "--json", "nowhere/rows.json", names="nowhere/rows.json")
    refused(
        "evaluate",
        run,
        world,
        "--mutual-information",
        "--rows",
        "caption->image",
        names="leave one of them out",
    )
    refused("world", "out", "--n", 0, names="n is 0")
    refused("world", "out", "--streams", "imag", names="did you mean 'image'?")
    refused("world", "out", "--fix", "motion", names="write FACTOR=VALUE")
    refused("world", "out", "--fix", "motion=stil", names="did you mean 'still'?")
    refused("demo", "--out", "out", "--minutes", 0, names="minutes is 0")
    for words in (
        ("demo", "--out", "out"),
        ("generate", run, "--want", "image", "--out", "out"),
        ("evaluate", run, world),
        ("tokenize", run, world, "--out", "out"),
        ("detokenize", run, world, "--out", "out"),
    ):
        refused(*words, "--device", "gpu", names="unknown device 'gpu'")


def test_an_out_that_exists(run: Path, world: Path, tmp_path: Path, refused: Call) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("precious\n")
    (tmp_path / "file").write_text("precious\n")
    for out in ("full", "file"):
        why = f"{out} exists and is not empty"
        refused("world", out, "--n", 1, names=why)
        refused("train", world, "--out", out, names=why)
        refused("demo", "--out", out, names=why)
        refused("tokenize", run, world, "--out", out, names=why)
        refused("generate", run, "--want", "image", "--out", out, names=why)


def test_a_damaged_or_foreign_run(run: Path, world: Path, tmp_path: Path, refused: Call) -> None:
    (tmp_path / "none").mkdir()
    for name in ("config", "version", "model"):
        shutil.copytree(run, tmp_path / name)
    (tmp_path / "config" / "config.json").write_text("{")
    (tmp_path / "version" / "config.json").write_text(json.dumps({"version": 99}))
    weights = tmp_path / "model" / "model" / "loom.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    for name, why in (
        ("nowhere", "nowhere is no run folder"),
        ("none", "none is no run folder"),
        ("config", "config.json is damaged"),
        ("version", "version 99"),
        ("model", "loom.safetensors is damaged"),
    ):
        refused("generate", name, "--want", "image", "--out", "out", names=why)
        refused("evaluate", name, world, names=why)
    refused("report", "none", names="none is no run folder")
    refused("train", "--resume", "--out", "none", names="none is no run")
    refused("train", "--resume", "--out", "version", names="version 99")


def test_codes_of_another_model(run: Path, world: Path, tmp_path: Path, refused: Call) -> None:
    assert call("tokenize", run, world, "--out", tmp_path / "codes").exit_code == 0
    index = tmp_path / "codes" / "index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "model": "another"}))
    refused("detokenize", run, "codes", "--out", "out", names="made by another model")


def test_usage_errors(refused: Call) -> None:
    refused("trian", names="'trian'")
    refused("train", "x", names="--out")
    refused("train", "x", "--out", "y", "--bogus", names="--bogus")


def test_failed_work_and_a_stop_have_their_own_codes(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(tmp_path)
    for error, code, text in (
        (OSError(28, "No space left on device"), 1, "error: [Errno 28] No space left on device\n"),
        (KeyboardInterrupt(), 130, "error: stopped; continue a training with --resume\n"),
    ):
        monkeypatch.setattr("modaloom.api.inspect", _raising(error))
        result = call("inspect", world)
        assert (result.exit_code, result.stderr) == (code, text)
    assert tree(tmp_path) == before


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODALOOM_DEBUG", "1")
    assert isinstance(call("world", "x", "--n", 0).exception, BadValue)


def _raising(error: BaseException):  # type: ignore[no-untyped-def]
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_a_folder_whose_streams_never_meet_scores_nothing(
    run: Path, world: Path, tmp_path: Path, refused: Call
) -> None:
    """Pictures and captions of different samples."""
    folder = tmp_path / "apart"
    for split in ("train", "test"):
        (folder / split).mkdir(parents=True)
        for i in range(8):
            kind = ("image.png", "caption.txt")[i % 2]
            shutil.copy(world / "train" / f"{i + 1:06d}.{kind}", folder / split / f"{split}{i}.{kind}")
    why = "no held-out sample of apart has the streams of image->caption"
    refused("evaluate", run, "apart", "--rows", "image->caption", "--json", "rows.json", names=why)
