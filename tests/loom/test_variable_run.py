"""A folder of captions of 1 to 40 words, of variable length, from files to a report."""

import json

import numpy as np
import pytest
from PIL import Image

import modaloom.api as modaloom
from modaloom.data.folder import open_folder
from modaloom.loom.config import LoomRunConfig
from modaloom.loom.trainer import LoomTrainer
from modaloom.runs.config_io import override
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator

WORDS = ["red", "green", "blue", "small", "large"]
SETTINGS = (
    *(
        "tokenizers.text.variable_length=true",
        "tokenizers.text.vocab_size=300",
        "data.limits.text.max_tokens=64",
    ),
    *("tokenizers.image.code_grid=2", "tokenizers.image.widths=[8,8]", "tokenizers.image.latent_dim=4"),
    *("loom.width=16", "loom.num_layers=1", "loom.num_heads=2", "training.precision=fp32"),
    *("training.tokenizer.batch_size=8", "training.loom.batch_size=8"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root, rng = tmp_path_factory.mktemp("captions"), np.random.default_rng(0)
    for i in range(40):
        pixels = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(root / f"{i:02d}.png")
        (root / f"{i:02d}.txt").write_text(" ".join(rng.choice(WORDS, i + 1)))
    return root


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("variable") / "run"
    config = override(LoomRunConfig(), SETTINGS)
    return modaloom.train(folder, out=out, steps={"image": 4, "loom": 12}, config=config, samples=4)


def test_captions_of_any_length_are_trained_and_scored(run, folder):
    facts = json.loads((run.path / "data.json").read_text())
    assert facts["tokenizers"]["text"]["state"]["variable"] is True
    assert facts["streams"]["text"]["grid"] == [64]
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    bits = [line["val.bits_alone.text"] for line in lines if "val.bits_alone.text" in line]
    assert 0 < bits[-1] < 10
    rows = modaloom.evaluate(run, folder, n=8)
    assert {row.row for row in rows} == {"image->text", "text->image"}


def test_a_batch_has_as_many_samples_as_fit(folder, tmp_path):
    """Pictures are 4 tokens, a caption one more than its codes."""
    settings = [*SETTINGS, "training.loom.max_batch_elements=60", "training.tokenizer.max_batch_elements=600"]
    config, said = override(LoomRunConfig(), settings), []
    with RunFolder.create(tmp_path / "run", config) as run:
        trainer = LoomTrainer(run, open_folder(folder), Accelerator("cpu", "fp32"), notify=said.append)
        image, loom = [plan.build() for plan in trainer.plans()]
        assert [len(image.batch(step)) for step in range(4)] == [3] * 4  # 8 × 8 × 3 values each
        assert said == [
            "image: a step has 3 samples instead of 8, since more have over 600 elements (max_batch_elements)"
        ]
        padding = trainer.data.tokenizers["text"].shape.padding
        sizes, counts = set(), []
        for step in range(20):
            codes = loom.batch(step)["codes"]["text"]
            sizes.add(len(codes))
            counts.append(sum(4 + 1 + int((row != padding).sum()) for row in codes))
    assert max(counts) <= 60
    assert len(sizes) > 2


def test_samples_have_lengths_of_their_own(run):
    drawn = [sample["text"] for sample in run.generate({"image": _picture()}, ["text"], n=16, steps=4)]
    assert len({len(text) for text in drawn}) > 4
    joint = run.generate({}, ["image", "text"], n=2, steps=2, guidance=1.5)
    assert [set(sample) for sample in joint] == [{"image", "text"}] * 2


def test_a_longer_caption_is_taken_whole_and_one_past_the_limit_is_named(run, folder, tmp_path):
    """Training texts have at most 40 words; the limit is 64 tokens."""
    tokenizer = run.model.streams["text"].tokenizer
    longest = max(tokenizer.required_length([f.read_text()]) for f in folder.glob("*.txt"))
    assert longest < 64
    fits = "red " * 70
    while tokenizer.required_length([fits]) > 64:
        fits = fits[:-4]
    assert tokenizer.required_length([fits]) > longest
    said = []
    for name, text in (("fits", fits.strip()), ("longer", "red " * 70)):
        [
            *modaloom.generate(
                run.path,
                given={"text": text},
                want=["image"],
                n=1,
                sampling={"steps": 2},
                out=tmp_path / name,
                notify=said.append,
            )
        ]
        assert [m for m in said if "max_tokens" in m] == ([] if name == "fits" else said[-1:])


def test_codes_go_to_shards_and_back(run, folder, tmp_path):
    modaloom.tokenize(run.path, folder, out=tmp_path / "codes")
    modaloom.detokenize(run.path, tmp_path / "codes", out=tmp_path / "back")
    for file in folder.glob("*.txt"):
        assert (tmp_path / "back" / f"{file.stem}.text.txt").read_text().strip() == file.read_text().strip()


def test_report_audit_and_mutual_information(run, folder):
    assert "text" in (run.path / "report.html").read_text()
    assert modaloom.audit(run.path, folder, n=8).audited == 8
    pairs = modaloom.mutual_information(run.path, folder, n=8)
    assert {(mi.given, mi.want) for mi in pairs} == {("image", "text"), ("text", "image")}


def _picture():
    return Image.fromarray(np.full((8, 8, 3), 90, np.uint8))
