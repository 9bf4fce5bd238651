"""Scores are taken in the form that was learned, in bounded time and memory, and say what was left out."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import modaloom.api as modaloom
from modaloom.core.types import Sample
from modaloom.data.folder import open_folder
from modaloom.evaluation import Direction, PlainJudge
from modaloom.evaluation.budget import Budget
from modaloom.loom.config import LoomRunConfig
from modaloom.loom.evaluation.folder import LEFT_OUT, evaluate, held_out
from modaloom.modalities import MODALITIES
from modaloom.modalities.unit import fit_to_spec
from modaloom.runs.config_io import override

SMALL = (
    *("tokenizers.image.codebook_size=8", "tokenizers.image.num_quantizers=1"),
    *("tokenizers.image.widths=[8,8]", "tokenizers.image.latent_dim=8"),
    *("loom.width=32", "loom.num_layers=1", "loom.num_heads=2", "loom.sampling.steps=2"),
    *("training.tokenizer.batch_size=8", "training.loom.batch_size=8", "training.precision=fp32"),
)
IMAGE = MODALITIES["image"]


def photograph(seed: int, side: int) -> Image.Image:
    """A smooth picture in two colours."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:1:512j, 0:1:512j]
    wave = np.sin(6 * (x * random.normal() + y * random.normal()) + random.uniform(0, 6))[..., None]
    pixels = 128 + 60 * wave * random.normal(size=3).clip(-1, 1)
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    spec = {"size": [side, side], "content": [side, side], "channels": 3}
    return fit_to_spec(IMAGE, image, spec)


def write(folder: Path, side: int, n: int = 30) -> Path:
    folder.mkdir()
    for i in range(n):
        photograph(i, side).save(folder / f"{i:02d}.png")
        (folder / f"{i:02d}.txt").write_text(f"{'even' if i % 2 == 0 else 'odd'}\n")
    return folder


def train(folder: Path, out: Path, *settings: str, **options: object) -> modaloom.TrainedRun:
    return modaloom.train(
        folder, out=out, steps=2, config=override(LoomRunConfig(), [*SMALL, *settings]), **options
    )


def test_files_of_any_size_score_alike(tmp_path: Path) -> None:
    """Those of 512 pixels a side become, at the learned 32, those of 32 to the bit."""
    rows = []
    for side in (32, 512):
        folder = write(tmp_path / f"files-{side}", side)
        run = train(folder, tmp_path / f"run-{side}")
        rows.append([asdict(row) for row in modaloom.evaluate(run, folder)])
    assert rows[0] == rows[1]
    ssim = next(row for row in rows[0] if (row["row"], row["metric"]) == ("text->image", "ssim"))
    assert None not in ssim.values()


def test_a_direct_comparison_is_at_the_learned_size_too() -> None:
    """The same photograph as answer and as truth, large and small."""
    small, large = ({"image": photograph(0, side)} for side in (32, 512))
    judge = PlainJudge({"image": "image"}, {"image": IMAGE.infer_spec([small["image"]], IMAGE.limits)})
    ask = Direction(("text",), ("image",))
    for answer in (small, large):
        for truth in (small, large):
            found = judge.score(ask, [answer], [Sample("0", truth)])
            assert found["psnr"].value == 100
            assert found["ssim"].value == pytest.approx(1)


def test_what_is_read_for_scoring_is_small(tmp_path: Path) -> None:
    folder = write(tmp_path / "files", 512, n=12)
    run = train(folder, tmp_path / "run")
    samples = held_out(run, open_folder(folder))
    assert {s.streams["image"].size for some in samples.values() for s in some} == {(32, 32)}
    shown = [*(run.path / "samples").glob("*/*/*.image.png")]
    assert {IMAGE.read(path).size for path in shown} == {(32, 32)}


def test_constant_pictures_make_valid_json(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for i in range(24):
        Image.new("RGB", (16, 16), (90, 90, 90)).save(folder / f"{i:02d}.png")
        (folder / f"{i:02d}.txt").write_text("grey\n")
    run = train(folder, tmp_path / "run")

    def refuse(name: str) -> None:
        raise AssertionError(name)

    for path in run.path.rglob("*.json*"):
        for line in [path.read_text()] if path.suffix == ".json" else path.read_text().splitlines():
            json.loads(line, parse_constant=refuse)
    rows = json.loads((run.path / "scores.json").read_text())["rows"]
    assert rows
    assert all(row["value"] is not None for row in rows)


def test_cut_texts_are_counted_everywhere(tmp_path: Path) -> None:
    folder = write(tmp_path / "files", 16, n=24)
    words = np.random.default_rng(0)
    for i in range(12):
        (folder / f"{i:02d}.txt").write_text(" ".join(map(str, words.integers(0, 10**6, 60))) + "\n")
    said: list[str] = []
    run = train(folder, tmp_path / "run", callbacks=modaloom.TrainCallbacks(notify=said.append))
    (line,) = [one for one in said if one.startswith("text: 12 of ") or one.startswith("text: 11 of ")]
    assert "values are cut after 64 tokens; train with --set data.limits.text.max_tokens=" in line
    (advice,) = [one for one in modaloom.inspect(folder).advice if one.startswith("text: ")]
    assert advice.startswith("text: 12 of 24 values are cut after 64 tokens; train with --set data.limits.")
    needed = int(advice.partition("max_tokens=")[2].split()[0])
    assert modaloom.inspect(folder).advice[-1].startswith("Train with")
    told: list[str] = []
    given = {"text": f"@{folder / '00.txt'}"}
    [*modaloom.generate(run.path, given=given, want=["image"], out=tmp_path / "out", notify=told.append)]
    assert any(one.startswith("text: 1 of 1 values are cut after 64 tokens; train with") for one in told)
    told.clear()
    modaloom.evaluate(run, folder, n=2, notify=told.append)
    assert any("values are cut after 64 tokens" in one for one in told)
    longer: list[str] = []
    notify = modaloom.TrainCallbacks(notify=longer.append)
    train(folder, tmp_path / "longer", f"data.limits.text.max_tokens={needed}", callbacks=notify)
    assert not [one for one in longer if "max_tokens=" in one]


def test_cut_texts_are_judged_by_what_can_be_said(tmp_path: Path) -> None:
    """Retrieval answers with whole texts, and the truth has 12 times as many letters as the model can say."""
    folder = write(tmp_path / "files", 16, n=24)
    for i in range(24):
        (folder / f"{i:02d}.txt").write_text(" ".join(["red", "blue"][i % 2] for _ in range(300)) + "\n")
    run = train(folder, tmp_path / "run", "tokenizers.text.vocab_size=258", "data.limits.text.max_tokens=20")
    rows = {row.metric: row for row in modaloom.evaluate(run, folder, rows=["image->text"])}
    assert rows["char_error"].ceiling == 0
    assert rows["exact"].ceiling == 1


def test_a_record_says_what_its_limits_take(tmp_path: Path) -> None:
    record = MODALITIES["record"]
    rows = [{"age": i + 0.5, "id": f"p{i}"} for i in range(400)]
    spec = record.infer_spec(rows, record.limits)
    found = [one for row in rows for one in record.shortened(row, spec)]
    unknown = [one for one in found if not one.is_resolution]
    assert len(unknown) == 400 - 255
    assert unknown[0].how == "have a id that is none of the 255 values learned, and counts as missing"
    rounded = [one for one in found if one.is_resolution]
    assert len(rounded) == 400 - 32
    assert {(one.how, one.limit, one.kept) for one in rounded} == {
        ("have their age rounded to one of 32 values", "max_bins", 32)
    }
    assert record.shortened({"age": None}, spec) == []


class Clock:
    """A second passes whenever it is asked."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_a_budget_decides_how_many_and_never_which() -> None:
    assert [*Budget().take(range(5), 2)] == [0, 1, 2, 3, 4]
    clock = Clock()
    budget = Budget.of(0.1, clock)  # six seconds after the first
    taken = [*budget.take(range(100), 2)]
    assert taken == [*range(len(taken))]
    assert 2 < len(taken) < 10
    assert [*budget.take(range(100), 2)] == [0, 1]
    assert budget.part(0.5).over
    assert not Budget().part(0.5).is_bounded


def test_scoring_in_little_time_takes_the_first_of_the_same_samples(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    for split, n in (("train", 20), ("test", 60)):
        (folder / split).mkdir(parents=True)
        for i in range(n):
            photograph(i, 16).save(folder / split / f"{i:02d}.png")
            (folder / split / f"{i:02d}.txt").write_text(f"{'even' if i % 2 == 0 else 'odd'}\n")
    run = train(folder, tmp_path / "run")
    said: list[str] = []
    short = modaloom.evaluate(run, folder, minutes=1e-6, rows=["image->text"], notify=said.append)
    assert {row.n for row in short if row.metric == "exact"} == {20}
    (rate,) = [row for row in short if row.metric == "bits_per_character"]
    assert rate.n == 20
    assert 0 < rate.floor < 8
    (line,) = said
    assert line.startswith("time was short: 1 of 1 directions")
    assert "image->text on 20 of 60" in line
    assert short == modaloom.evaluate(run, folder, n=20, rows=["image->text"])
    said.clear()
    assert {row.row for row in evaluate(run, folder, n=1, most=1, notify=said.append)} == {"text->image"}
    assert said == [LEFT_OUT.format(1, 2)]
