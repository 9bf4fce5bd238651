"""Augmented training samples: what is shared, what stays as it is, and that all of it can be repeated."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from modaloom.core.errors import BadValue
from modaloom.data.folder import Folder, open_folder
from modaloom.loom import trainer as module
from modaloom.loom.config import LoomRunConfig
from modaloom.loom.files import LOOM, pack_model
from modaloom.loom.trainer import LoomTrainer
from modaloom.loom.variants import Variants
from modaloom.modalities import MODALITIES
from modaloom.runs.config_io import override
from modaloom.runs.store import RunFolder
from modaloom.tokenizers import Tokenizer
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer
from modaloom.training.accelerator import Accelerator
from modaloom.training.interrupts import Interrupted

K, STEPS, N, NUM_VAL = 5, 3, 30, 6
SETTINGS = (
    *("tokenizers.image.code_grid=2", "tokenizers.image.widths=[8,8]", "tokenizers.image.latent_dim=4"),
    *("tokenizers.image.codebook_size=16", "tokenizers.text.vocab_size=300", "loom.width=16"),
    *("loom.num_layers=1", "loom.num_heads=2", "training.precision=fp32", "training.tokenizer.batch_size=8"),
    *("training.loom.batch_size=8", f"training.steps.image={STEPS}", f"training.steps.loom={STEPS}"),
)
AUGMENT = ("training.augment.shift=0.3", "training.augment.flip=0.5", f"training.variants={K}")
DROPOUT = "training.augment.dropout=0.5"


def config(*settings: str) -> LoomRunConfig:
    return override(LoomRunConfig(), [*SETTINGS, *settings])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Each picture twice, as streams `image` and `same`, with a text; one sample lacks the text."""
    root, rng = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    for i in range(N):
        key = root / ("val" if i < NUM_VAL else "train") / f"{i:02d}"
        key.parent.mkdir(exist_ok=True)
        picture = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
        picture.save(f"{key}.image.png")
        picture.save(f"{key}.same.png")
        Path(f"{key}.text.txt").write_text(" ".join(rng.choice(["red", "green", "large"], 1 + i % 4)))
    (root / "train" / "29.text.txt").unlink()
    return open_folder(root)


def finish(run: RunFolder[LoomRunConfig], folder: Folder, stop: tuple[str, int] | None = None) -> LoomTrainer:
    trainer = LoomTrainer(run, folder, Accelerator("cpu", "fp32"), notify=lambda _: None)
    for step in trainer.steps():
        if (step.stage, step.step) == stop:
            os.kill(os.getpid(), signal.SIGTERM)
    return trainer


@pytest.fixture(scope="module")
def trained(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> LoomTrainer:
    with RunFolder.create(tmp_path_factory.mktemp("run") / "run", config(*AUGMENT, DROPOUT)) as run:
        return finish(run, folder)


def tensors(trainer: LoomTrainer) -> dict[str, torch.Tensor]:
    assert trainer.model is not None
    parts = pack_model(trainer.model, trainer.data.plans)
    return {f"{part}.{name}": t for part, p in parts.items() for name, t in p.tensors.items()}


def assert_same_bits(one: LoomTrainer, other: LoomTrainer) -> None:
    a, b = tensors(one), tensors(other)
    assert a.keys() == b.keys()
    assert [name for name in a if not torch.equal(a[name], b[name])] == []


def test_streams_of_a_sample_are_changed_alike(trained: LoomTrainer) -> None:
    """Equal pictures of two streams have equal codes in every variant, and variants differ."""
    rows = trained.data.rows["train"]
    seen = [trained.codes(rows, variant)[0] for variant in range(K)]
    assert all(torch.equal(codes["image"], codes["same"]) for codes in seen)
    assert all(not torch.equal(seen[0]["image"], codes["image"]) for codes in seen[1:])
    own = torch.stack([codes["image"].flatten(1) for codes in seen], 1)
    assert min(len(one.unique(dim=0)) for one in own) >= 3


def test_pictures_of_other_sizes_and_modalities_are_changed_alike() -> None:
    """A ramp of 16 px as an image and one of 32 px as a raster: where the middle comes from, in parts."""
    variants = Variants(0, {"shift": 0.25, "flip": 0.5}, 4)
    places, mirrored = set(), 0
    for key in range(40):
        parts = {}
        for name, side in (("image", 16), ("raster", 32)):
            ramp = np.broadcast_to(np.arange(side, dtype=np.uint8), (side, side))
            value = Image.fromarray(np.ascontiguousarray(ramp)).convert("RGB")
            modality = MODALITIES[name]
            value = modality.coerce(value)
            spec = modality.infer_spec([value], modality.limits)
            tokenizer = VQVAETokenizer(modality, spec, VQVAEConfig(code_grid=4, widths=(4, 4, 4)))
            batch = torch.tensor(tokenizer.prepare(value))[None]
            (found,) = variants.augmented(tokenizer, name, batch, [(f"{key}", 1)])
            row = np.asarray(tokenizer.codec.unpack(found.numpy(), spec))[side // 2, :, 0].astype(int)
            flipped = bool(row[0] > row[-1])
            straight = row[::-1] if flipped else row
            parts[name] = (flipped, float(side // 2 - straight[side // 2]) / side)
        assert parts["image"][0] == parts["raster"][0]
        assert abs(parts["image"][1] - parts["raster"][1]) <= 1 / 32
        places.add(parts["image"][1])
        mirrored += parts["image"][0]
    assert len(places) > 5
    assert 10 < mirrored < 30


def test_variant_0_is_the_sample_itself(trained: LoomTrainer) -> None:
    assert trained.model is not None
    for split in ("train", "val"):
        rows = trained.data.rows[split]
        codes, present = trained.codes(rows)
        samples = [trained.data.samples[i] for i in rows.tolist()]
        for stream in ("image", "same", "text"):
            values = [trained.data.reader.value(s, stream) for s in samples if stream in s.streams]
            assert torch.equal(codes[stream][present[stream]], trained.model.encode(stream, values))


def test_only_training_samples_have_other_variants(trained: LoomTrainer) -> None:
    for variant in range(1, K):
        codes, present = trained.codes(trained.data.rows["val"], variant)
        assert not any(there.any() for there in present.values())
        assert not any(code.any() for code in codes.values())
        _, present = trained.codes(trained.data.rows["train"], variant)
        assert present["image"].all()
        assert present["text"].tolist() == [True] * (N - NUM_VAL - 1) + [False]


def test_variants_of_a_text_say_the_same(trained: LoomTrainer) -> None:
    assert trained.model is not None
    rows = trained.data.rows["train"][:-1]
    seen = [trained.codes(rows, variant)[0]["text"] for variant in range(K)]
    texts = [trained.model.decode("text", codes) for codes in seen]
    assert all(text == texts[0] for text in texts)
    assert any(not torch.equal(codes, seen[0]) for codes in seen[1:])


def test_a_stream_without_augmentation_is_encoded_once(folder: Folder, tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", config(*AUGMENT)) as run:
        trainer = finish(run, folder)
    assert {name: len(one.present) for name, one in trainer._codes.items()} == {
        "image": K * N,
        "same": K * N,
        "text": N,
    }
    rows = trainer.data.rows["train"]
    assert torch.equal(trainer.codes(rows, 2)[0]["text"], trainer.codes(rows)[0]["text"])


def built(folder: Folder, path: Path, run: LoomRunConfig, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The trainer and its stages, none of which is trained."""
    found: list[Any] = []
    monkeypatch.setattr(module, "run_stages", lambda plans, *_, **__: found.extend(plans) or iter(()))
    with RunFolder.create(path, run) as made:
        trainer = LoomTrainer(made, folder, Accelerator("cpu", "fp32"), notify=lambda _: None)
        with pytest.raises(AssertionError):  # the Loom is not built yet
            list(trainer.steps())
        return trainer, [plan.build() for plan in found]


def test_a_batch_has_the_variants_that_its_step_draws(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, (tokenizer, loom) = built(folder, tmp_path / "run", config(*AUGMENT), monkeypatch)
    rows = trainer.data.rows["train"]
    every = torch.stack([trainer.codes(rows, variant)[0]["image"] for variant in range(K)])
    seen = set()
    for step in range(30):
        batch = loom.batch(step)
        assert torch.equal(batch["codes"]["image"], loom.batch(step)["codes"]["image"])
        assert torch.equal(batch["codes"]["image"], batch["codes"]["same"])
        for codes, augmented in zip(batch["codes"]["image"], batch["augmented"].tolist()):
            variants = {int(v) for v, _ in (every == codes).flatten(2).all(-1).nonzero()}
            assert variants - {0} if augmented else 0 in variants
            seen |= variants
    assert seen == set(range(K))
    assert torch.equal(tokenizer.batch(1), tokenizer.batch(1))
    shown = torch.cat([tokenizer.batch(step) for step in range(12)]).flatten(1)
    own = trainer.data.prepared("image").array[rows.numpy()].reshape(len(rows), -1)
    assert not all(any((one == other).all() for other in own) for one in shown.numpy())


def test_what_is_drawn_depends_on_seed_stage_step_and_sample_alone() -> None:
    variants, rows = Variants(0, {"shift": 0.1}, K), torch.arange(1000)
    drawn = variants.drawn(LOOM, 3, rows)
    assert torch.equal(variants.drawn(LOOM, 3, rows[500:]), drawn[500:])
    assert torch.equal(variants.drawn(LOOM, 3, rows.flip(0)), drawn.flip(0))
    chance = 0.5**2 + (K - 1) * (0.5 / (K - 1)) ** 2
    for other in (variants.drawn(LOOM, 4, rows), replace(variants, seed=1).drawn(LOOM, 3, rows)):
        assert abs(float((other == drawn).double().mean()) - chance) < 0.06
    plain, *others = drawn.bincount(minlength=K).tolist()
    assert abs(plain - 500) < 60
    assert all(abs(count - 125) < 40 for count in others)
    assert set(replace(variants, number=2).drawn(LOOM, 3, rows).tolist()) == {0, 1}
    assert not Variants(0, {}, 1).drawn(LOOM, 3, rows).any()


def test_the_network_is_told_of_augmented_samples_and_keeps_nothing_of_it(trained: LoomTrainer) -> None:
    assert trained.model is not None
    loom, rows = trained.model.loom, trained.data.rows["train"]
    codes, present = trained.codes(rows)

    def loss(augmented: torch.Tensor | None) -> torch.Tensor:
        noise = torch.Generator().manual_seed(0)
        return loom.loss(codes, present, noise, augmented=augmented).total

    none, every = torch.zeros(len(rows), dtype=torch.bool), torch.ones(len(rows), dtype=torch.bool)
    assert torch.equal(loss(none), loss(None))
    assert not torch.equal(loss(every), loss(None))
    assert not [name for name in loom.state_dict() if "mark" in name]


@pytest.mark.parametrize("workers", [1, 4])
def test_threads_and_stops_change_no_bit(
    trained: LoomTrainer, folder: Folder, tmp_path: Path, workers: int
) -> None:
    path = tmp_path / "run"
    RunFolder.create(path, config(*AUGMENT, DROPOUT, f"training.workers={workers}")).close()
    for stop in [("image", 2), (LOOM, 1)]:
        with RunFolder.resume(path, LoomRunConfig) as run, pytest.raises(Interrupted):
            finish(run, folder, stop)
    with RunFolder.resume(path, LoomRunConfig) as run:
        assert_same_bits(finish(run, folder), trained)


def test_another_strength_makes_other_codes(trained: LoomTrainer, folder: Folder, tmp_path: Path) -> None:
    """The caches of a strength are not taken for those of another."""
    data = trained.data
    other = replace(data, variants=replace(data.variants, strengths={"shift": 0.1}))
    facts = [one.variants.facts("image") for one in (data, other)]
    assert facts[0] != facts[1]
    assert other.variants.facts("text") == []


def test_token_budgets_hold_for_the_longest_variant(folder: Folder, tmp_path: Path) -> None:
    """Texts of variable length: 4 tokens of each picture, those of the text and one for its length."""
    settings = [DROPOUT, "tokenizers.text.variable_length=true", "training.loom.max_batch_elements=60"]
    with RunFolder.create(tmp_path / "run", config(*settings)) as run:
        trainer = LoomTrainer(run, folder, Accelerator("cpu", "fp32"), notify=lambda _: None)
        *_, loom = [plan.build() for plan in trainer.plans()]
        padding, counts = trainer.data.tokenizers["text"].shape.padding, []
        for step in range(40):
            batch = loom.batch(step)
            tokens = (batch["codes"]["text"] != padding).sum((1, 2)) + 1
            counts.append(int((8 + tokens * batch["present"]["text"]).sum()))
    assert 40 < max(counts) <= 60


def test_it_is_told_in_one_line(folder: Folder, tmp_path: Path) -> None:
    said: list[str] = []
    with RunFolder.create(tmp_path / "run", config(*AUGMENT, DROPOUT)) as run:
        LoomTrainer(run, folder, Accelerator("cpu", "fp32"), notify=said.append)
    assert said == [
        "augmented, 5 variants of each training sample: image by shift 0.3 and flip 0.5; same by shift 0.3 "
        "and flip 0.5; text by dropout 0.5"
    ]


def test_what_no_stream_has_is_refused(folder: Folder, tmp_path: Path) -> None:
    run = config(DROPOUT, "data.streams=['image']")
    with (
        RunFolder.create(tmp_path / "run", run) as made,
        pytest.raises(BadValue, match=r"augment\.dropout is for streams of text, and there is none"),
    ):
        LoomTrainer(made, folder, Accelerator("cpu", "fp32"), notify=pytest.fail)


def test_a_tokenizer_without_variants_refuses() -> None:
    class Plain(VQVAETokenizer):
        variant = Tokenizer.variant

    image = MODALITIES["image"]
    spec = {"size": [8, 8], "content": [8, 8], "channels": 3}
    tokenizer = Plain(image, spec, VQVAEConfig(widths=(4,)))
    with pytest.raises(BadValue, match=r"Plain makes no variants of values; leave out training\.augment"):
        Variants(0, {"flip": 0.5}, 2).augmented(tokenizer, "image", torch.zeros(1, 3, 8, 8), [("a", 1)])
