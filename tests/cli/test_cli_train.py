"""`train`: what it may be asked, and going on after a stop."""

import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from calling import SMALL, Call, call, done, tree
from PIL import Image

from modaloom import api
from modaloom.core.errors import BadFolder
from modaloom.loom.config import LoomRunConfig
from modaloom.recipes.demo import DemoWorld
from modaloom.runs.config_io import override
from modaloom.training.interrupts import Interrupted


def test_resume_of_a_finished_run_says_so(run: Path) -> None:
    before = tree(run)
    result = done("train", "--resume", "--out", run)
    assert result.stdout.startswith(f"{run} is finished; nothing to do\n")
    assert tree(run) == before


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--set", "loom.num_layers=7"), "loom.num_layers = 1, not 7"),
        (("--seed", 6), "seed = 5, not 6"),
        (("--streams", "image"), "data.streams = [], not ['image']"),
        (("--preset", "small", "--seed", 5), "data.limits.image.max_side = its default, not 64"),
    ],
)
def test_a_resumed_run_is_not_asked_to_be_another(
    run: Path, refused: Call, words: tuple[object, ...], named: str
) -> None:
    before = tree(run)
    refused("train", "--resume", "--out", run, *words, names=named)
    assert tree(run) == before
    done("train", "--resume", "--out", run, "--seed", 5, "--set", "loom.num_layers=1")


def test_a_resumed_run_stays_on_its_folder(world: Path, run: Path, tmp_path: Path, refused: Call) -> None:
    other = tmp_path / "other"
    shutil.copytree(world, other)
    refused("train", other, "--resume", "--out", run, names=f"was started on {world}, not {other}")
    done("train", world, "--resume", "--out", run)


def test_a_finished_run_says_how_to_train_longer(run: Path, refused: Call) -> None:
    refused("train", "--resume", "--steps", 10, "--out", run, names="finished after image=3,loom=3 steps")
    assert "nothing to do" in done("train", "--resume", "--steps", 3, "--out", run).stdout


def test_a_run_of_version_1_says_what_to_do(tmp_path: Path, refused: Call) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "config.json").write_text('{"version": 1, "seed": 0}')
    (old / "data.json").write_text('{"folder": "pairs"}')
    (old / "model").mkdir()
    for words in (
        ("train", "--resume", "--out", old),
        ("generate", old, "--want", "image", "--out", "drawn"),
        ("report", old),
    ):
        refused(*words, names="train it again (modaloom train pairs --out NEW)")


def test_old_flags_name_the_new_ones(run: Path, refused: Call) -> None:
    asked = ("generate", run, "--want", "image", "--out", "drawn")
    refused(*asked, "--jitter", 1, names="--jitter is now called --choice-temperature")


def test_resume_without_a_run_starts_it(world: Path, tmp_path: Path, run: Path) -> None:
    done("train", world, "--out", tmp_path / "new", "--resume", "--steps", 3, "--seed", 5, *SMALL)
    assert _weights(tmp_path / "new") == _weights(run)


def test_a_stopped_run_goes_on_without_its_folder(
    run: Path, tmp_path: Path, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "stopped"
    seen = []

    def stop(progress: object) -> api.TrainCallbacks:
        def step(step: object) -> None:
            seen.append(step)
            if len(seen) == 4:
                raise Interrupted("stopped after step 1")

        return api.TrainCallbacks(on_step=step)

    with monkeypatch.context() as patch:
        patch.setattr("modaloom.cli.printing.callbacks", stop)
        result = call("train", world, "--out", out, "--steps", 3, "--seed", 5, *SMALL)
    assert result.exit_code == 1
    assert result.stderr == "error: stopped after step 1\n"
    assert not (out / "model").exists()
    done("train", "--resume", "--out", out)
    assert _weights(out) == _weights(run)


def test_a_run_stopped_while_it_was_scored_is_scored(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(run, out)
    (out / "scores.json").unlink()
    done("train", "--resume", "--out", out)
    scores = json.loads((out / "scores.json").read_text())
    assert scores["rows"] == json.loads((run / "scores.json").read_text())["rows"]


def test_a_damaged_checkpoint_is_named_and_the_one_before_used(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(run, out)
    shutil.rmtree(out / "model")
    weights = out / "checkpoints" / "loom" / "step-000003" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    result = done("train", "--resume", "--out", out)
    assert "checkpoint step-000003 is damaged" in result.stdout
    assert _weights(out) == _weights(run)


def test_steps_by_stage_and_a_config_file(world: Path, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("seed = 3\n[loom]\nnum_layers = 1\n[training]\nminutes = 0.02\n")
    words = ("--config", tmp_path / "run.toml", "--steps", "image=2,loom=1", *SMALL)
    done("train", world, "--out", tmp_path / "run", *words, "--streams", "image,caption")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["training"]["steps"] == {"image": 2, "loom": 1}
    assert (config["seed"], config["loom"]["width"]) == (3, 32)


def test_another_process_needs_no_other_setting(world: Path, tmp_path: Path, refused: Call) -> None:
    words = ("--set", "loom.process=uniform", "--steps", 2, *SMALL)
    done("train", world, "--out", tmp_path / "run", *words)
    asked = ("generate", tmp_path / "run", "--given", "caption=a red circle", "--want", "image", "--n", 2)
    drawn = [tree(tmp_path / name) for name in ("first", "again") if done(*asked, "--out", tmp_path / name)]
    assert drawn[0] == drawn[1]
    assert "0001.image.png" in map(str, drawn[0])
    refused(*asked, "--sampler", "maskgit", "--out", "none", names="does not fit the process 'uniform'")


def test_minutes_become_steps_and_a_schedule_that_are_recorded(world: Path, tmp_path: Path) -> None:
    done("train", world, "--out", tmp_path / "run", "--minutes", 0.01, "--streams", "caption", *SMALL)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    recorded = config["training"]
    assert recorded["schedule"]["loom"]["decays"][-1][1] == recorded["steps"]["loom"] + 1 >= 11


def test_odd_and_broken_files_are_read_or_named_and_counted(tmp_path: Path) -> None:
    folder = _mixture(tmp_path / "mixed")
    found = done("inspect", folder).stdout
    broken = {"broken0.png", "broken1.png", "broken2.png", "broken3.txt"}
    assert set(re.findall(r"^left out: (\S+):", found, re.M)) == broken
    result = done("train", folder, "--out", tmp_path / "run", "--steps", 2, *SMALL)
    said = next(line for line in result.stdout.splitlines() if line.startswith("left out"))
    facts = json.loads((tmp_path / "run" / "data.json").read_text())
    assert f"{facts['skips']} files" in said
    assert 1 <= facts["skips"] <= 4
    odd = tmp_path / "odd.png"
    Image.new("RGBA", (9, 70), (255, 0, 0, 128)).save(odd)
    drawn = tmp_path / "drawn"
    done("generate", tmp_path / "run", "--given", f"image={odd}", "--want", "text", "--n", 1, "--out", drawn)


def test_one_stream_alone_is_learned_scored_and_shown(world: Path, tmp_path: Path) -> None:
    words = ("--streams", "image", "--steps", 2, *SMALL)
    done("train", world, "--out", tmp_path / "run", *words)
    assert (tmp_path / "run" / "scores.json").is_file()
    assert "is finished" in done("train", "--resume", "--out", tmp_path / "run").stdout


def test_a_demo_is_not_of_another_seeds_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["modaloom.api.demonstration"]
    monkeypatch.setattr(
        module, "DemoWorld", lambda: DemoWorld(samples=4, held_out=2, streams=("image", "caption"))
    )
    folder = tmp_path / "demo-world"
    done("world", folder, "--n", 4, "--seed", 1, "--streams", "image,caption", "--fix", "motion=still")
    failed = call("demo", "--out", tmp_path / "demo", "--minutes", 1, "--seed", 2)
    assert failed.exit_code == 2
    assert "is not the world of seed 2" in failed.stderr
    assert [*tmp_path.iterdir()] == [folder]
    module._check_world(folder, 1, module.DemoWorld())
    with pytest.raises(BadFolder, match="has no question"):
        module._check_world(folder, 1, DemoWorld())


def test_too_many_broken_files_are_refused(tmp_path: Path, refused: Call) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    for i in range(20):
        (folder / f"{i}.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing")
    refused("train", folder, "--out", "run", "--steps", 2, *SMALL, names=str(folder))


def test_demo_writes_a_world_learns_it_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["modaloom.api.demonstration"]
    size = DemoWorld(samples=40, held_out=20, streams=("image", "caption"))
    tiny = override(
        LoomRunConfig(), [*SMALL[1::2], "training.steps={image=2,loom=2}", 'data.streams=["image","caption"]']
    )
    monkeypatch.setattr(module, "DemoWorld", lambda: size)
    monkeypatch.setattr(module, "recipe", lambda streams: tiny)
    result = done("demo", "--out", tmp_path / "demo", "--minutes", 1, "--seed", 2)
    assert "writing the world 120/120" in result.stderr
    assert result.stdout.endswith(f"open {tmp_path / 'demo' / 'report.html'}\n")
    assert json.loads((tmp_path / "demo" / "config.json").read_text())["seed"] == 2
    assert len([*(tmp_path / "demo-world" / "train").iterdir()]) == 80
    assert "is finished" in done("demo", "--out", tmp_path / "demo").stdout


def _mixture(folder: Path) -> Path:
    """Pictures of all modes and sizes with words, and a few files that are broken in different ways."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    modes = ("L", "P", "RGBA", "RGB", "LA", "1")
    for i in range(40):
        picture = Image.fromarray(rng.integers(0, 256, (12 + i % 5, 16, 3), np.uint8)).convert(modes[i % 6])
        picture.save(folder / f"{i:03d}.png")
        (folder / f"{i:03d}.txt").write_text(f"number {i}\n")
    deep = Image.fromarray(rng.integers(0, 65536, (16, 16)).astype(np.uint16))
    deep.save(folder / "040.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (20, 10), "red").save(folder / "041.jpg", exif=turned)
    (folder / "broken0.png").write_bytes(b"")
    (folder / "broken1.png").write_bytes((folder / "003.png").read_bytes()[:200])
    (folder / "broken2.png").write_text("no picture\n")
    (folder / "broken3.txt").write_bytes("café".encode("latin-1"))
    return folder


def _weights(run: Path) -> dict[str, str]:
    return {name: digest for name, digest in tree(run / "model").items() if name.endswith(".safetensors")}
