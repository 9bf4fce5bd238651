"""A new tokenizer is one class and one line of a table: a linear autoencoder with rounded numbers, no VQ-VAE,
is trained, saved, loaded, drawn from, scored and refined."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import modaloom.api as modaloom
from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.types import CodeShape, Loss
from modaloom.loom.config import CodeSamplingConfig, LoomRunConfig
from modaloom.loom.run import load
from modaloom.modalities import MODALITIES, DataSpec, Limits, Modality, Value
from modaloom.restorer.config import RestorerRunConfig
from modaloom.runs.config_io import override
from modaloom.runs.tokenizers import restore_tokenizer
from modaloom.tokenizers import TOKENIZERS, Tokenizer


@dataclass(frozen=True)
class RoundedConfig:
    """Sizes of the toy."""

    numbers: int = 3
    levels: int = 9


class RoundedLinear(Tokenizer):
    """x → round(levels of tanh(Wx)) → W′z: one code a number, with the straight-through gradient."""

    Config = RoundedConfig
    trainable = True

    def __init__(self, modality: Modality, spec: DataSpec, config: RoundedConfig) -> None:
        super().__init__()
        self.modality, self.spec, self.config = modality, spec, config
        side = spec["channels"] * int(np.prod(spec["size"]))
        self.down, self.up = nn.Linear(side, config.numbers), nn.Linear(config.numbers, side)
        self.shape = CodeShape((config.numbers,), depth=1, codebook_size=config.levels)

    @classmethod
    def fit(
        cls,
        modality: Modality,
        columns: Mapping[str, Sequence[Value]],
        limits: Limits,
        options: RoundedConfig,
    ) -> list[dict[str, Self]]:
        assert type(options) is RoundedConfig
        return [{name: cls(modality, modality.infer_spec(v, limits), options)} for name, v in columns.items()]

    def prepare(self, value: Value) -> np.ndarray:
        """float16, so that nothing can count on a picture's bytes."""
        packed = torch.tensor(self.modality.signal.pack(value, self.spec))
        return self.modality.signal.normalize(packed[None])[0].half().numpy()

    def encode_batch(self, batch: Tensor) -> Tensor:
        with torch.no_grad():
            return self.scaled(batch.float()).round().long()[..., None]

    def decode(self, codes: Tensor) -> list[Value]:
        codec = self.modality.signal
        with torch.no_grad():
            packed = codec.denormalize(self.rebuilt(codes[..., 0].float()))
        return [codec.unpack(one, self.spec) for one in packed.numpy()]

    def loss(
        self, batch: Tensor, generator: torch.Generator, distributed: Distributed = SINGLE_PROCESS
    ) -> Loss:
        numbers = self.scaled(batch.float())
        rounded = numbers + (numbers.round() - numbers).detach()
        total = distributed.mean(self.modality.signal.loss(self.rebuilt(rounded), batch.float()))
        return Loss(total, {"reconstruction": total.detach()})

    def state(self) -> Mapping[str, Any]:
        return {"modality": self.modality.name, "spec": self.spec, "config": asdict(self.config)}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        return cls(MODALITIES[state["modality"]], dict(state["spec"]), RoundedConfig(**state["config"]))

    def scaled(self, signal: Tensor) -> Tensor:
        """(B, numbers) in 0 .. levels − 1."""
        numbers: Tensor = self.down(signal.flatten(1)).tanh()
        return (numbers + 1) / 2 * (self.config.levels - 1)

    def rebuilt(self, numbers: Tensor) -> Tensor:
        signal: Tensor = self.up(2 * numbers / (self.config.levels - 1) - 1)
        return signal.reshape(-1, self.spec["channels"], *self.spec["size"])


SIDES = {"left": slice(0, 4), "right": slice(4, 8)}
SMALL = (
    *("streams.image.tokenizer=rounded", "streams.image.tokenizer.levels=7"),
    *(
        "loom.width=32",
        "loom.num_layers=1",
        "loom.num_heads=2",
        "loom.sampling.steps=4",
        "training.precision=fp32",
    ),
    *("training.tokenizer.batch_size=16", "training.loom.batch_size=16"),
)

SURE: dict[str, Any] = vars(CodeSamplingConfig(temperature=0.5))


def _picture(side: str, bright: int) -> Image.Image:
    pixels = np.zeros((8, 8), np.uint8)
    pixels[:, SIDES[side]] = bright
    return Image.fromarray(pixels).convert("RGB")


def _side(picture: Image.Image) -> str:
    pixels = np.asarray(picture.convert("L"), float)
    return max(SIDES, key=lambda side: pixels[:, SIDES[side]].mean())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """40 pictures, bright at one side, with its name; the toy is in the table while the test runs."""
    monkeypatch.setitem(TOKENIZERS, "rounded", RoundedLinear)
    root, rng = tmp_path / "pairs", np.random.default_rng(0)
    root.mkdir()
    for i in range(40):
        side = [*SIDES][i % 2]
        _picture(side, int(rng.integers(180, 256))).save(root / f"{i:02d}.png")
        (root / f"{i:02d}.txt").write_text(f"{side}\n")
    return root


def test_a_learned_tokenizer_is_one_class_in_one_table(folder: Path, tmp_path: Path) -> None:
    config = override(LoomRunConfig(), SMALL)
    run = modaloom.train(folder, out=tmp_path / "run", steps={"image": 500, "loom": 300}, config=config)
    facts = json.loads((tmp_path / "run" / "data.json").read_text())["tokenizers"]["image"]
    assert facts["kind"] == "rounded"
    assert facts["state"]["config"] == {"numbers": 3, "levels": 7}
    untrained, trained = restore_tokenizer(facts), load(run.path).model
    picture = _picture("left", 220)
    assert _error(trained.streams["image"].tokenizer, picture) < 0.1 * _error(untrained, picture)
    for side in SIDES:
        (drawn,) = run.generate({"text": side}, ["image"], n=1, **SURE)
        assert _side(drawn["image"]) == side
        assert run.generate({"image": _picture(side, 220)}, ["text"], n=1, **SURE)[0]["text"] == side
    usage = json.loads((tmp_path / "run" / "usage.json").read_text())["image"]
    assert [sum(depth) for depth in usage["counts"]] == [3 * _training_samples(tmp_path / "run")]
    rows = {(row.row, row.metric): row for row in modaloom.evaluate(run, folder)}
    assert rows["text->image", "psnr"].ceiling > 20
    small = ("restorer.unet.widths=[8,8]", "restorer.unet.groups=4", "training.precision=fp32")
    refined = modaloom.train(
        folder,
        out=tmp_path / "refine",
        task="refine",
        tokenizers=run.path,
        streams=["image"],
        steps=2,
        config=override(RestorerRunConfig(), small),
    )
    assert refined.restoration.plan.spec == facts["state"]["spec"]


def _error(tokenizer: Tokenizer, picture: Image.Image) -> float:
    (back,) = tokenizer.decode(tokenizer.encode([picture]))
    return float(np.square(np.asarray(back, float) - np.asarray(picture, float)).mean())


def _training_samples(run: Path) -> int:
    return int(json.loads((run / "data.json").read_text())["counts"]["train"])
