"""Tokenizers from local directories that diffusers and tokenizers have written."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import torch as safetensors

import modaloom.api as modaloom
from modaloom.core.errors import BadFile, BadFolder, BadRun, BadValue
from modaloom.loom.config import LoomRunConfig
from modaloom.runs.config_io import override
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

diffusers = pytest.importorskip("diffusers")

SMALL = (
    *("loom.width=16", "loom.num_layers=1", "loom.num_heads=2", "training.precision=fp32"),
    *("training.tokenizer.batch_size=8", "training.loom.batch_size=8"),
)
NETWORK: dict[str, Any] = {
    **{"down_block_types": ["DownEncoderBlock2D"] * 3, "up_block_types": ["UpDecoderBlock2D"] * 3},
    **{"block_out_channels": [8, 8, 8], "layers_per_block": 1, "norm_num_groups": 4},
    **{"latent_channels": 4, "mid_block_add_attention": False},
}
WORDS = ["a bright one", "a dark one"]
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root, random = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    for i in range(30):
        pixels = random.integers(0, 256, (16, 16, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(root / f"{i:02d}.png")
        (root / f"{i:02d}.txt").write_text(WORDS[i % 2])
    return root


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of each layout."""
    root = tmp_path_factory.mktemp("parts")
    torch.manual_seed(0)
    continuous = diffusers.AutoencoderKL(**NETWORK)
    discrete = diffusers.VQModel(**NETWORK, num_vq_embeddings=16, vq_embed_dim=3)
    torch.nn.init.normal_(discrete.quantize.embedding.weight, std=0.2)
    continuous.save_pretrained(root / "kl")
    discrete.save_pretrained(root / "vq")
    words = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # type: ignore[call-arg]
    words.normalizer, words.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    trainer = trainers.WordPieceTrainer(special_tokens=["[UNK]", "[CLS]"], vocab_size=40, show_progress=False)
    words.train_from_iterator(WORDS, trainer)
    words.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 1)])
    words.decoder = decoders.WordPiece()
    (root / "words").mkdir()
    words.save(str(root / "words" / "tokenizer.json"))
    return root


def train(folder: Path, out: Path, **streams: str) -> modaloom.TrainedRun:
    settings = [f"streams.{key.replace('_', '.')}={value}" for key, value in streams.items()]
    run = modaloom.train(folder, out=out, steps=2, config=override(LoomRunConfig(), [*SMALL, *settings]))
    assert isinstance(run, modaloom.TrainedRun)
    return run


def signal(folder: Path) -> torch.Tensor:
    pixels = np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))[:4]])
    return torch.from_numpy(pixels).movedim(-1, 1).float() / 127.5 - 1


def pictures(folder: Path) -> list[Image.Image]:
    return [Image.open(path).convert("RGB") for path in sorted(folder.glob("*.png"))[:4]]


def weights(tokenizer: Any, network: Any) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Each of the network's tensors in the tokenizer, and in the directory."""
    ours = {name.partition(".")[2]: t for name, t in tokenizer.state_dict().items()}
    return [(ours[name], t) for name, t in network.state_dict().items() if not name.startswith("quantize")]


def test_a_frozen_vqmodel_keeps_its_codes_and_pictures(folder: Path, parts: Path, tmp_path: Path) -> None:
    start = {"image_tokenizer_from": str(parts / "vq"), "image_tokenizer_frozen": "true"}
    run = train(folder, tmp_path / "run", **start)
    assert set(run.run.training.steps) == {"loom"}
    network = diffusers.VQModel.from_pretrained(parts / "vq")
    assert all(torch.equal(*pair) for pair in weights(run.model.streams["image"].tokenizer, network))
    with torch.no_grad():
        latents = network.encode(signal(folder)).latents
        _, _, (_, _, theirs) = network.quantize(latents)
        rebuilt = ((network.decode(latents).sample.clamp(-1, 1) + 1) * 127.5).round().movedim(1, -1)
    codes = run.model.encode("image", pictures(folder))
    assert (codes.flatten() == theirs.flatten()).float().mean() > 0.99  # distances that are nearly equal
    pixels = np.stack([np.asarray(one) for one in run.model.decode("image", codes)])
    assert np.median(np.abs(pixels - rebuilt.numpy())) <= 1
    run.save_pretrained(tmp_path / "hub")
    for place in (run.path, tmp_path / "hub"):
        again = modaloom.from_pretrained(place)
        assert isinstance(again, modaloom.TrainedRun)
        assert torch.equal(again.model.encode("image", pictures(folder)), codes)
    assert str(parts) not in (tmp_path / "hub" / "data.json").read_text()


@pytest.mark.parametrize("frozen", [True, False])
def test_an_autoencoder_gets_quantizers_on_its_means(
    frozen: bool, folder: Path, parts: Path, tmp_path: Path
) -> None:
    start = {"image_tokenizer_from": str(parts / "kl"), "image_tokenizer_frozen": str(frozen).lower()}
    run = train(folder, tmp_path / "run", **start)
    assert set(run.run.training.steps) == {"image", "loom"}
    network: Any = diffusers.AutoencoderKL.from_pretrained(parts / "kl")
    tokenizer: Any = run.model.streams["image"].tokenizer
    assert all(torch.equal(*pair) for pair in weights(tokenizer, network)) == frozen
    assert tokenizer.shape.grid == (4, 4)
    assert len(tokenizer.encode(pictures(folder)).unique()) > 4
    if frozen:
        with torch.no_grad():
            means = network.encode(signal(folder)).latent_dist.mean
            torch.testing.assert_close(tokenizer.encoder(signal(folder)), means)
    again: Any = modaloom.load(run.path)
    codes = [one.model.encode("image", pictures(folder)) for one in (again, run)]
    assert torch.equal(*codes)


def test_a_tokenizer_json_gives_texts_its_codes(folder: Path, parts: Path, tmp_path: Path) -> None:
    run = train(folder, tmp_path / "run", text_tokenizer_from=str(parts / "words"))
    tokenizer = run.model.streams["text"].tokenizer
    library = Tokenizer.from_file(str(parts / "words" / "tokenizer.json"))
    ids = library.encode("A bright ONE", add_special_tokens=False).ids
    codes = tokenizer.encode(["A bright ONE"])[0, :, 0].tolist()
    assert codes[: len(ids)] == ids
    assert codes[len(ids)] == library.get_vocab_size()
    assert tokenizer.as_learned("A bright ONE") == "a bright one"
    again = modaloom.load(run.path)
    assert isinstance(again, modaloom.TrainedRun)
    assert torch.equal(again.model.encode("text", WORDS), run.model.encode("text", WORDS))
    with pytest.raises(BadValue, match=r"tokenizer\.json are not exported"):
        modaloom.export(run.path, out=tmp_path / "onnx", format="onnx")


def test_what_does_not_fit_is_refused_by_name(folder: Path, parts: Path, tmp_path: Path) -> None:
    def part(name: str, config: dict[str, Any], **files: bytes) -> str:
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(config))
        for file, data in files.items():
            (tmp_path / name / file.replace("__", ".")).write_bytes(data)
        return str(tmp_path / name)

    saved, no_weights = "diffusion_pytorch_model__safetensors", "does not hold the weights"
    known = json.loads((parts / "kl" / "config.json").read_text())
    vq = json.loads((parts / "vq" / "config.json").read_text())
    other = (parts / "vq" / WEIGHTS).read_bytes()
    tensors, codebook = safetensors.load(other), {"quantize.embedding.weight": torch.zeros(17, 3)}
    bare = safetensors.save({name: t for name, t in tensors.items() if name not in codebook})
    larger = safetensors.save({**tensors, **codebook})
    both = safetensors.save({**safetensors.load((parts / "kl" / WEIGHTS).read_bytes()), **codebook})
    for place, error, named in (
        (part("tiny", {"_class_name": "AutoencoderTiny"}), BadFolder, "holds AutoencoderTiny; pretrained"),
        (part("speech", {"architectures": ["Wav2Vec2Model"]}), BadFolder, "holds Wav2Vec2Model"),
        (part("pickles", known, pytorch_model__bin=b"PK"), BadFolder, "pytorch_model.bin is a pickle"),
        (part("empty", known), BadFolder, f"has no {WEIGHTS}"),
        (part("mixed", known, **{saved: other}), BadFile, no_weights),
        (part("cut", known, **{saved: other[:99]}), BadFile, no_weights),
        (part("bare", {"_class_name": "VQModel"}, **{saved: other}), BadFile, "lacks 'block_out_channels'"),
        (part("odd", {**known, "block_out_channels": 5}, **{saved: other}), BadFile, "is damaged"),
        (part("list", {"architectures": 5}), BadRun, "is no run folder|of another program"),
        (part("groups", {**known, "norm_num_groups": 3}, **{saved: other}), BadValue, "diffusers builds no"),
        (part("plain", vq, **{saved: bare}), BadFile, "embedding.weight of None; .* asks for .16, 3"),
        (part("large", vq, **{saved: larger}), BadFile, r"of \[17, 3\]; .* asks for \[16, 3\]"),
        (part("both", known, **{saved: both}), BadFile, r"of \[17, 3\]; .* asks for None"),
        (part("words", {}, tokenizer__json=b"{}"), BadFile, "is no tokenizer of the library"),
        (str(parts / "words"), BadValue, "is of texts; image takes another"),
    ):
        with pytest.raises(error, match=named):
            train(folder, tmp_path / "run", image_tokenizer_from=place)
    with pytest.raises(BadValue, match="text"):
        train(folder, tmp_path / "run", text_tokenizer_from=str(parts / "vq"))
    assert not (tmp_path / "run").exists()
