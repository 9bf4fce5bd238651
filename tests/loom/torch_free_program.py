"""The files of the torch-free program as modules, and small models that it draws from."""

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from modaloom.core.json_text import to_json
from modaloom.loom.config import LoomConfig
from modaloom.loom.files import build_loom
from modaloom.loom.graphs import PROGRAM, exportable
from modaloom.loom.model import Model, Stream
from modaloom.modalities import MODALITIES
from modaloom.tokenizers.bpe import BPE
from modaloom.tokenizers.categorical import CategoricalTokenizer
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer

TEXTS = ["a red circle", "two blue stars, it's 12 o'clock", "三个 — naïve\tŸ\n\n", ""]
ROWS = [{"age": 3, "sex": "f"}, {"age": 40.5, "sex": None}, {"age": 7, "sex": "m"}]


def program(name: str) -> Any:
    """A module of the program, from a path that only holds its files."""
    sys.path.insert(0, str(PROGRAM))
    try:
        return import_module(name)
    finally:
        sys.path.remove(str(PROGRAM))


def pictures(n: int = 3) -> list[Image.Image]:
    random = np.random.default_rng(0)
    return [Image.fromarray(random.integers(0, 256, (16, 12, 3), np.uint8)) for _ in range(n)]


def small_model(*, variable: bool = False, encoder_decoder: bool = False, **sampling: Any) -> Model:
    """Pictures with a global code, texts and rows of a table, with random weights everywhere."""
    image, record = MODALITIES["image"], MODALITIES["record"]
    config = VQVAEConfig(widths=(8, 8), latent_dim=8, codebook_size=16, num_quantizers=3, global_codes=1)
    text = BPE.learn(TEXTS, vocab_size=290, length=6, variable=variable)
    streams = {
        "image": Stream(
            "image", VQVAETokenizer(image, image.infer_spec(pictures(), image.limits), config), "image"
        ),
        "text.long": Stream("text", text, "text"),
        "text.short": Stream("text", text.view((3,)), "text"),
        "row": Stream("record", CategoricalTokenizer(record, record.infer_spec(ROWS, record.limits)), "row"),
    }
    options = {"width": 32, "num_layers": 2, "num_heads": 2, "encoder_decoder": encoder_decoder}
    loom = build_loom(streams, LoomConfig(**options), seed=0)
    generator = torch.Generator().manual_seed(1)
    for module in (streams["image"].tokenizer, loom):
        for tensor in module.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.3)
        module.eval().requires_grad_(False)
    return Model(streams, loom)


def direct(model: Model, folder: Path) -> Any:
    """The program's model, whose graphs run in torch without an export."""
    found = exportable(model)
    (folder / "model.json").write_text(to_json(found.facts), encoding="utf-8")
    program_model = program("sample").Model(folder)

    def run(graph: str, inputs: Mapping[str, Any]) -> list[Any]:
        one = found.graphs[graph]
        out = one.function(*(torch.from_numpy(inputs[name]) for name in one.inputs))
        return [value.numpy() for value in (out if isinstance(out, tuple) else (out,))]

    program_model.run = run
    return program_model
