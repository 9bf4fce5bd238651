"""A model to parts and back: the same bits, or a refusal."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from modaloom.core.errors import BadRun
from modaloom.loom.config import CodeSamplingConfig, LoomConfig
from modaloom.loom.files import (
    LOOM,
    StreamPlan,
    build_loom,
    build_streams,
    pack_model,
    unpack_model,
)
from modaloom.loom.model import Model
from modaloom.modalities.image import IMAGE
from modaloom.modalities.record import RECORD, RecordLimits
from modaloom.runs.model import Part, load_model, save_model
from modaloom.runs.tokenizers import restore_tokenizer, tokenizer_facts
from modaloom.tokenizers import BPE, CategoricalTokenizer, VQVAETokenizer
from modaloom.tokenizers.vqvae import VQVAEConfig

CONFIG = LoomConfig(width=16, num_layers=1, num_heads=2, encoder_decoder=True)
PLANS = {
    "image": StreamPlan("image", "image", (2, 2)),
    "image.gray": StreamPlan("image", "image", (2, 2)),
    "record": StreamPlan("record", "record", (2,)),
    "title": StreamPlan("text", "text", (6,)),
    "story": StreamPlan("text", "text", (9,)),
}
GIVEN = {"title": ["a red box", "one"]}


def tokenizers():
    """One of every kind, as if trained."""
    spec = {"size": [8, 8], "content": [8, 8], "channels": 3}
    vqvae = VQVAETokenizer(
        IMAGE, spec, VQVAEConfig(code_grid=2, widths=(8, 8), latent_dim=4, codebook_size=8, num_quantizers=2)
    )
    vqvae.loss(torch.randint(0, 256, (16, 3, 8, 8), dtype=torch.uint8), torch.Generator())
    rows = [{"n": i / 7, "colour": "red" if i % 2 else "blue"} for i in range(40)]
    (record,) = CategoricalTokenizer.fit(RECORD, {"record": rows}, RecordLimits(max_bins=4), None)
    text = BPE.learn(["a red box", "one story of boxes"] * 20, vocab_size=270, length=6)
    return {"image": vqvae, "record": record["record"], "text": text}


def stirred(loom):
    for p in loom.parameters():
        nn.init.normal_(p, std=0.4)
    return loom


@pytest.fixture
def model():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = tokenizers()
        streams = build_streams(PLANS, made)
        model = Model(streams, stirred(build_loom(streams, CONFIG, seed=0)))
        for tokenizer in (*made.values(), model.loom):
            tokenizer.eval()
        yield model


def drawn(model):
    want = [name for name in PLANS if name not in GIVEN]
    return model.generate(GIVEN, want, n=2, seed=5, options=CodeSamplingConfig(steps=3))


def plain(value):
    return np.asarray(value).tolist() if isinstance(value, Image.Image) else value


def test_a_model_comes_back_to_the_same_samples(model, tmp_path):
    save_model(tmp_path / "model", pack_model(model, PLANS), "card")
    again = unpack_model(load_model(tmp_path / "model").parts)
    for before, after in zip(drawn(model), drawn(again), strict=True):
        assert {name: plain(v) for name, v in before.items()} == {name: plain(v) for name, v in after.items()}
    assert again.loom.config == CONFIG
    for name, tensor in model.loom.state_dict().items():
        assert torch.equal(tensor, again.loom.state_dict()[name])


def test_what_comes_back_is_at_rest(model):
    again = unpack_model(pack_model(model, PLANS))
    learned = [s.tokenizer for s in again.streams.values() if s.tokenizer.trainable]
    assert learned
    for module in (again.loom, *learned):
        assert not any(part.training for part in module.modules())
        assert not any(p.requires_grad for p in module.parameters())


def test_streams_of_one_tokenizer_share_it_each_in_its_own_grid(model):
    parts = pack_model(model, PLANS)
    assert set(parts) == {"image", "record", "text", LOOM}
    json.dumps({name: part.state for name, part in parts.items()})
    streams = unpack_model(parts).streams
    assert streams["image"].tokenizer is streams["image.gray"].tokenizer
    assert {name: s.tokenizer.shape.grid for name, s in streams.items()} == {
        name: plan.grid for name, plan in PLANS.items()
    }
    assert {name: s.table for name, s in streams.items()} == {n: p.tokenizer for n, p in PLANS.items()}
    assert {name: s.modality for name, s in streams.items()} == {n: p.modality for n, p in PLANS.items()}


def test_a_fresh_loom_depends_on_its_seed_alone_and_leaves_torchs_generator(model):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    one, two, other = (build_loom(model.streams, CONFIG, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_the_looms_tables_know_the_codebook_vectors(model):
    table = model.loom.network.code_embed["image"]
    expected = model.streams["image"].tokenizer.vectors
    got = table.vectors.view(2, 9, 4)
    each = (got[:, :8].flatten(1), expected.flatten(1))
    torch.testing.assert_close(*(torch.nn.functional.normalize(vectors) for vectors in each))
    assert model.loom.network.code_embed["text"].vectors is None


def altered(part, **state):
    return replace(part, state={**part.state, **state})


def another_grid(parts):
    streams = {
        **parts[LOOM].state["streams"],
        "image": {**parts[LOOM].state["streams"]["image"], "grid": [4, 4]},
    }
    return {LOOM: altered(parts[LOOM], streams=streams)}


MISFITS = {
    "no Loom": lambda parts: {LOOM: None},
    "no tokenizer": lambda parts: {"text": None},
    "another width": lambda parts: {
        LOOM: altered(parts[LOOM], config={**parts[LOOM].state["config"], "width": 32})
    },
    "an unknown key": lambda parts: {
        LOOM: altered(parts[LOOM], config={**parts[LOOM].state["config"], "wdth": 32})
    },
    "a lost tensor": lambda parts: {LOOM: Part(dict([*parts[LOOM].tensors.items()][1:]), parts[LOOM].state)},
    "the Loom's tensors": lambda parts: {"image": Part(parts[LOOM].tensors, parts["image"].state)},
    "an unknown kind": lambda parts: {"image": altered(parts["image"], kind="vqgan")},
    "no state": lambda parts: {"record": Part({}, {})},
    "another modality": lambda parts: {
        "image": altered(parts["image"], state={**parts["image"].state["state"], "modality": "smell"})
    },
    "another grid": another_grid,
    "no streams": lambda parts: {LOOM: altered(parts[LOOM], streams=[])},
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_parts_that_do_not_fit_are_refused(model, misfit):
    parts = pack_model(model, PLANS)
    changed = {**parts, **MISFITS[misfit](parts)}
    with pytest.raises(BadRun):
        unpack_model({name: part for name, part in changed.items() if part is not None})


def test_an_unknown_kind_of_tokenizer_says_what_there_is(model):
    facts = tokenizer_facts(model.streams["image"].tokenizer)
    assert restore_tokenizer(facts).config == model.streams["image"].tokenizer.config
    with pytest.raises(BadRun, match=r"'vqgan'.*vqvae"):
        restore_tokenizer({**facts, "kind": "vqgan"})


def test_a_plan_survives_json():
    for plan in PLANS.values():
        assert StreamPlan.of(json.loads(json.dumps(asdict(plan)))) == plan
