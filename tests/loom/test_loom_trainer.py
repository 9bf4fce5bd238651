"""A whole training of a tiny folder: stopped and gone on with, it ends in the same bits."""

import math
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from modaloom.core.errors import BadFolder, BadValue
from modaloom.data.folder import open_folder
from modaloom.loom import dataset
from modaloom.loom import trainer as module
from modaloom.loom.config import CodeSamplingConfig, LoomConfig, LoomRunConfig, LoomTrainingConfig
from modaloom.loom.files import LOOM, pack_model
from modaloom.loom.likelihood import bits_per_code
from modaloom.loom.trainer import LoomTrainer
from modaloom.runs.caches import Caches
from modaloom.runs.config import DataConfig, OptimizerConfig
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.interrupts import Interrupted

STEPS = 3
ALL_STEPS = [(name, i + 1) for name in ("image", LOOM) for i in range(STEPS)]
COLOURS = {"red": (220, 0, 0), "green": (0, 220, 0), "blue": (0, 0, 220)}
LACKING_IMAGE, LACKING_TEXT = {"train/01", "train/05", "val/30"}, {"train/02", "val/31"}


def config(streams=(), **training):
    small = OptimizerConfig(batch_size=6)
    frozen = {"steps": {"image": STEPS, LOOM: STEPS}, "tokenizer": small, "loom": small, "log_every": 1}
    return LoomRunConfig(
        data=DataConfig(streams=streams),
        tokenizers={
            "image": {
                "code_grid": 2,
                "widths": [8, 8],
                "latent_dim": 4,
                "codebook_size": 8,
                "num_quantizers": 2,
            }
        },
        loom=LoomConfig(width=16, num_layers=1, num_heads=2),
        training=LoomTrainingConfig(**{**frozen, **training}),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures of one colour with its name and a file that cannot be read; some samples lack one of them."""
    root, rng = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    for i in range(38):
        key, colour = f"{'train' if i < 26 else 'val'}/{i:02d}", [*COLOURS][i % 3]
        (root / key).parent.mkdir(exist_ok=True)
        if key not in LACKING_IMAGE:
            pixels = np.clip(COLOURS[colour] + rng.normal(0, 20, (8, 8, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / f"{key}.png")
        if key not in LACKING_TEXT:
            (root / f"{key}.txt").write_text(colour)
    (root / "train" / "00.png").write_bytes(b"no picture")
    (root / "test").mkdir()
    (root / "test" / "99.txt").write_text("violet")
    return open_folder(root)


@pytest.fixture(scope="module")
def straight(folder, tmp_path_factory):
    """A training that nothing stopped."""
    path = tmp_path_factory.mktemp("straight") / "run"
    with RunFolder.create(path, config()) as run:
        trainer, steps = finish(run, folder)
    return trainer, steps


def finish(run, folder, *, stop=None):
    """Train to the end, or until (stage, step) `stop`, where SIGTERM comes."""
    trainer, steps = LoomTrainer(run, folder, Accelerator("cpu", "fp32"), notify=pytest.fail), []
    for step in trainer.steps():
        steps.append((step.stage, step.step))
        if steps[-1] == stop:
            os.kill(os.getpid(), signal.SIGTERM)
    return trainer, steps


def tensors(trainer):
    parts = pack_model(trainer.model, trainer.data.plans)
    return {f"{part}.{name}": t for part, p in parts.items() for name, t in p.tensors.items()}


def assert_same_bits(a, b):
    assert set(a) == set(b)
    assert [name for name in a if not torch.equal(a[name], b[name])] == []


def validations(run):
    return [r for r in run.metrics() if any(name.startswith("val.") for name in r)]


def test_the_stages_follow_each_other(straight):
    trainer, steps = straight
    assert trainer.stages == ["image", LOOM]
    assert steps == ALL_STEPS
    assert not any(p.requires_grad for p in trainer.model.loom.parameters())
    assert not trainer.model.loom.training
    logged = [(r["stage"], r["step"]) for r in trainer.run.metrics() if "loss" in r]
    assert logged == steps


@pytest.mark.parametrize(
    "stops", [[("image", 2)], [("image", STEPS)], [(LOOM, 1)], [("image", 1), (LOOM, 2)], [(LOOM, STEPS)]]
)
def test_stopped_and_gone_on_with_it_ends_in_the_same_bits(straight, folder, tmp_path, stops):
    expected, _ = straight
    path = tmp_path / "run"
    RunFolder.create(path, config()).close()
    for stop in stops:
        with RunFolder.resume(path, LoomRunConfig) as run, pytest.raises(Interrupted, match="--resume"):
            finish(run, folder, stop=stop)
    with RunFolder.resume(path, LoomRunConfig) as run:
        trainer, steps = finish(run, folder)
        assert steps == ALL_STEPS[ALL_STEPS.index(stops[-1]) + 1 :]
        assert validations(run) == validations(expected.run)
    assert_same_bits(tensors(trainer), tensors(expected))


def cropped(**training):
    run = config(**training)
    return replace(run, tokenizers={"image": {**run.tokenizers["image"], "crop_size": [4, 4]}})


def test_crops_are_a_function_of_the_step_and_their_sample(folder, tmp_path, monkeypatch):
    """Stopped and gone on with, a training on crops ends in the same bits."""
    _, (stage, *_) = built(folder, tmp_path / "built", cropped(), monkeypatch)
    first, again, later = (stage.batch(step) for step in (0, 0, 1))
    assert first.shape == (6, 3, 4, 4)
    assert torch.equal(first, again)
    assert not torch.equal(first, later)
    monkeypatch.undo()
    for path, stops in (("whole", []), ("stopped", [("image", 2)])):
        RunFolder.create(tmp_path / path, cropped()).close()
        for stop in stops:
            with RunFolder.resume(tmp_path / path, LoomRunConfig) as run, pytest.raises(Interrupted):
                finish(run, folder, stop=stop)
    one, other = (RunFolder.resume(tmp_path / path, LoomRunConfig) for path in ("whole", "stopped"))
    with one, other:
        assert_same_bits(*(tensors(finish(run, folder)[0]) for run in (one, other)))


def test_a_discriminator_resumes_and_is_dropped(folder, tmp_path):
    """It begins after half of 6 steps: a stop comes when it has its own weights and moments."""
    run = config(steps={"image": 6, LOOM: 1})
    image = {**run.tokenizers["image"], "adversary": {"weight": 0.8, "feature_weight": 1, "width": 4}}
    run = replace(run, tokenizers={"image": image})
    for path, stops in (("whole", []), ("stopped", [("image", 2), ("image", 5)])):
        RunFolder.create(tmp_path / path, run).close()
        for stop in stops:
            with RunFolder.resume(tmp_path / path, LoomRunConfig) as found, pytest.raises(Interrupted):
                finish(found, folder, stop=stop)
    one, other = (RunFolder.resume(tmp_path / path, LoomRunConfig) for path in ("whole", "stopped"))
    with one, other:
        kept, again = (tensors(finish(run, folder)[0]) for run in (one, other))
        assert_same_bits(kept, again)
        assert not [name for name in kept if "discriminator" in name]
        logged = {r["step"] for r in one.metrics() if "loss.discriminator.loss" in r}
        used = {r["step"] for r in one.metrics() if "loss.adversarial" in r}
        assert logged == {4, 5, 6}
        assert used == {5, 6}


def test_a_kill_between_checkpoints_loses_steps_and_no_bits(straight, folder, tmp_path):
    """A consumer that just goes away: nothing is saved, and the log forgets what is to happen again."""
    expected, _ = straight
    path = tmp_path / "run"
    with RunFolder.create(path, config(checkpoint_seconds=0)) as run:
        for step in LoomTrainer(run, folder, Accelerator("cpu", "fp32"), notify=pytest.fail).steps():
            if (step.stage, step.step) == (LOOM, 2):
                break
    with RunFolder.resume(path, LoomRunConfig) as run:
        trainer, steps = finish(run, folder)
        assert steps == [(LOOM, 2), (LOOM, 3)]
        assert validations(run) == validations(expected.run)
    assert_same_bits(tensors(trainer), tensors(expected))


def test_another_seed_is_another_model(straight, folder, tmp_path):
    with RunFolder.create(tmp_path / "run", replace(config(), seed=1)) as run:
        trainer, _ = finish(run, folder)
    other, mine = tensors(straight[0]), tensors(trainer)
    assert [n for n in mine if n.endswith("weight") and torch.equal(mine[n], other[n])] == []


@pytest.mark.parametrize("most", [1, 500, 10**9])
def test_values_are_encoded_as_many_at_once_as_memory_allows(straight, monkeypatch, most):
    trainer, _ = straight
    expected = trainer._codes["image"]
    monkeypatch.setattr(dataset, "CHUNK_ELEMENTS", most)
    tokenizer = trainer.model.streams["image"].tokenizer
    chunks = [*trainer.data._encoded("image", tokenizer)]
    assert np.array_equal(np.concatenate([here for here, _ in chunks]), expected.present)
    codes = torch.cat([codes for _, codes in chunks]).flatten(1, -2)
    assert np.array_equal(codes.numpy(), expected.array[expected.present])
    assert (len(chunks) > 1) == (most < 10**9)


def built(folder, path, run, monkeypatch):
    """The stages as they are before the first step."""
    found = []
    monkeypatch.setattr(module, "run_stages", lambda plans, *_, **__: found.extend(plans) or iter(()))
    with RunFolder.create(path, run) as run_folder:
        trainer = LoomTrainer(run_folder, folder, Accelerator("cpu", "fp32"), notify=pytest.fail)
        with pytest.raises(AssertionError):  # the Loom is not built yet
            list(trainer.steps())
        return trainer, [plan.build() for plan in found]


def test_the_first_weights_too_depend_on_the_seed_alone(folder, tmp_path, monkeypatch):
    seeds = {"a": 0, "b": 0, "c": 1}
    one, same, other = (
        built(folder, tmp_path / name, replace(config(), seed=seed), monkeypatch)[1]
        for name, seed in seeds.items()
    )
    for a, b, c in zip(one, same, other, strict=True):
        assert_same_bits(a.module.state_dict(), b.module.state_dict())
        assert any(not torch.equal(x, y) for x, y in zip(a.module.parameters(), c.module.parameters()))


def test_a_tokenizer_sees_every_training_picture_and_nothing_else(folder, tmp_path, monkeypatch):
    trainer, (stage, _) = built(folder, tmp_path / "run", config(), monkeypatch)
    training = [trainer.data.samples[i] for i in trainer.data.rows["train"].tolist()]
    pictures = [v for v in (trainer.data.reader.value(s, "image") for s in training) if v is not None]
    assert len(pictures) == 23
    epochs = stage.size
    seen = torch.cat([stage.batch(step) for step in range(len(pictures))]).flatten(1)
    expected = torch.from_numpy(np.stack([stage.module.prepare(picture) for picture in pictures])).flatten(1)
    unique, counts = seen.unique(dim=0, return_counts=True)
    assert torch.equal(unique, expected.unique(dim=0))
    assert counts.tolist() == [epochs] * len(pictures)


def test_the_validation_is_logged_and_of_the_model_at_that_step(straight):
    trainer, _ = straight
    lines = validations(trainer.run)
    assert [(line["stage"], line["step"]) for line in lines] == [(LOOM, i + 1) for i in range(STEPS)]
    names = {f"val.{kind}.{stream}" for kind in ("bits", "bits_alone") for stream in ("image", "text")}
    for line in lines:
        assert set(line) == {"stage", "step"} | names
        assert all(0 < line[name] < 20 for name in names)
    assert len({line["val.bits.image"] for line in lines}) == STEPS
    size = trainer.data.tokenizers["text"].shape.codebook_size
    assert lines[0]["val.bits_alone.text"] == pytest.approx(math.log2(size), rel=0.5)


def test_the_validation_is_of_the_validation_samples(straight):
    trainer, _ = straight
    found = trainer.validate()
    trainer.model.loom.eval()
    expected = bits_per_code(trainer.model, *trainer.codes(trainer.data.rows["val"]), seed=0)
    assert found == {f"val.{name}": value for name, value in expected.items()}


def test_test_samples_stay_out(straight):
    trainer, _ = straight
    assert {s.key.split("/")[0] for s in trainer.data.samples} == {"train", "val"}
    assert sum(len(rows) for rows in trainer.data.rows.values()) == len(trainer.data.samples) == 38


def test_samples_that_lack_a_stream_or_have_a_bad_file_take_part_with_the_rest(straight):
    trainer, _ = straight
    for split, first, n in (("train", 0, 26), ("val", 26, 12)):
        codes, present = trainer.codes(trainer.data.rows[split])
        keys = [f"{split}/{i:02d}" for i in range(first, first + n)]
        assert [trainer.data.samples[i].key for i in trainer.data.rows[split].tolist()] == keys
        lacking = LACKING_IMAGE | {"train/00"}
        assert present["image"].tolist() == [key not in lacking for key in keys]
        assert present["text"].tolist() == [key not in LACKING_TEXT for key in keys]
        assert codes["image"].shape == (n, 4, 2)
        assert not codes["image"][~present["image"]].any()
        words = [[*COLOURS][i % 3] for i in range(first, first + n)]
        decoded = trainer.model.decode("text", codes["text"][present["text"]])
        assert decoded == [w for w, here in zip(words, present["text"].tolist()) if here]


def test_the_codes_are_the_trained_tokenizers(straight):
    trainer, _ = straight
    codes, present = trainer.codes(trainer.data.rows["val"])
    samples = [trainer.data.samples[i] for i in trainer.data.rows["val"].tolist()]
    values = [trainer.data.reader.value(s, "image") for s in samples if "image" in s.streams]
    assert torch.equal(codes["image"][present["image"]], trainer.model.encode("image", values))


def test_codes_are_cached_in_bytes_and_widened_when_they_are_read(straight):
    trainer, _ = straight
    codes, _ = trainer.codes(trainer.data.rows["train"][:2])
    cached = Caches.of(trainer.run.path).arrays("codes")
    assert {name: array.dtype.name for name, array in cached.items()} == {"image": "uint8", "text": "uint16"}
    assert {one.dtype for one in codes.values()} == {torch.int64}


def test_usage_counts_every_training_code(straight, monkeypatch):
    trainer, _ = straight
    monkeypatch.setattr(module, "CHUNK_SIZE", 5)  # so that there are several, the last of them smaller
    ((name, found),) = trainer.usage().items()
    codes, present = trainer.codes(trainer.data.rows["train"])
    seen = codes["image"][present["image"]]
    assert (name, found["size"], found["depth"]) == ("image", 8, 2)
    for depth, (counts, perplexity) in enumerate(zip(found["counts"], found["perplexity"], strict=True)):
        assert counts == [int((seen[..., depth] == code).sum()) for code in range(8)]
        shares = np.array(counts)[np.array(counts) > 0] / sum(counts)
        assert perplexity == pytest.approx(np.prod(shares**-shares))


def test_the_model_draws_both_ways(straight):
    trainer, _ = straight
    (row,) = trainer.model.generate({"text": ["red"]}, ["image"], n=1, options=CodeSamplingConfig(steps=2))
    assert row["image"].size == (8, 8)
    (row,) = trainer.model.generate(
        {"image": [row["image"]]}, ["text"], n=1, options=CodeSamplingConfig(steps=2)
    )
    assert isinstance(row["text"], str)


def test_one_stream_without_a_learned_tokenizer_is_enough(folder, tmp_path):
    with RunFolder.create(tmp_path / "run", config(("text",))) as run:
        trainer, steps = finish(run, folder)
        assert steps == [(LOOM, i + 1) for i in range(STEPS)]
        assert trainer.stages == [LOOM]
        assert trainer.usage() == {}
        assert all(
            {name for name in line if name.startswith("val")} == {"val.bits_alone.text"}
            for line in validations(run)
        )
        assert len(validations(run)) == STEPS


def test_a_folder_without_validation_samples_trains_without_such_lines(tmp_path):
    root = tmp_path / "pairs" / "train"
    root.mkdir(parents=True)
    for i in range(4):
        (root / f"{i}.txt").write_text("red")
    with RunFolder.create(tmp_path / "run", config(steps={LOOM: 2})) as run:
        trainer, steps = finish(run, open_folder(tmp_path / "pairs"))
        assert len(steps) == 2
        assert trainer.validate() == {}
        assert not validations(run)
        assert trainer.usage() == {}


def test_what_cannot_be_trained_is_refused(folder, tmp_path):
    with (
        RunFolder.create(tmp_path / "a", config(("imge",))) as run,
        pytest.raises(BadValue, match="did you mean 'image'"),
    ):
        finish(run, folder)
    (tmp_path / "pairs" / "val").mkdir(parents=True)
    (tmp_path / "pairs" / "val" / "0.txt").write_text("red")
    with RunFolder.create(tmp_path / "b", config()) as run, pytest.raises(BadFolder, match="no training"):
        finish(run, open_folder(tmp_path / "pairs"))
