"""The torch-free program against modaloom: its codecs, its samplers and what it draws without randomness."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_free_program import ROWS, TEXTS, direct, pictures, program, small_model

from modaloom.core.errors import BadRun, BadValue
from modaloom.core.graph import Function, Graph
from modaloom.diffusion.categorical import categorical, gumbel
from modaloom.diffusion.samplers import CODE_SAMPLERS
from modaloom.loom.config import CodeSamplingConfig, LoomConfig
from modaloom.loom.files import build_loom
from modaloom.loom.graphs import exportable
from modaloom.loom.model import Model
from modaloom.modalities import MODALITIES
from modaloom.modalities.record import RecordLimits
from modaloom.runs.config_io import changed
from modaloom.runs.onnx_file import write_onnx

onnxruntime = pytest.importorskip("onnxruntime")

RANKED = {name for name, sampler in CODE_SAMPLERS.items() if sampler.ranked}
GREEDY = {"temperature": 0.0, "choice_temperature": 0.0, "steps": 3}
MODELS = {
    "fixed": small_model(),
    "variable": small_model(variable=True),
    "encoder_decoder": small_model(variable=True, encoder_decoder=True),
}
models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def drawn(model: Model, given: dict[str, Any], want: list[str], n: int, **options: Any) -> dict[str, Any]:
    config = changed(model.loom.config.sampling, options.items())
    return {
        name: [sample[name] for sample in model.generate(given, want, n=n, options=config)] for name in want
    }


def same(a: Any, b: Any) -> bool:
    return bool(np.array_equal(np.asarray(a), np.asarray(b)))


@given(st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_texts_have_the_tokenizers_codes(text: str) -> None:
    for model in (MODELS["fixed"], MODELS["variable"]):
        tokenizer = model.streams["text.long"].tokenizer
        stream = exportable(model).facts["streams"]["text.long"]
        ours = program("values").Text(stream, None)
        codes = tokenizer.encode([text])
        assert same(ours.encode(text), codes[0])
        assert ours.decode(codes[0].numpy()) == tokenizer.decode(codes)[0]


@given(st.lists(st.integers(0, 289), min_size=6, max_size=6))
@settings(max_examples=50, deadline=None)
def test_any_codes_are_the_tokenizers_texts(codes: list[int]) -> None:
    model = MODELS["fixed"]
    tokenizer = model.streams["text.long"].tokenizer
    found = np.array(codes)[:, None] % tokenizer.shape.codebook_size
    ours = program("values").Text(exportable(model).facts["streams"]["text.long"], None)
    assert ours.decode(found) == tokenizer.decode(torch.from_numpy(found)[None])[0]


def test_a_whole_number_is_one_category_in_the_program_too() -> None:
    spec = MODALITIES["record"].infer_spec([{"x": one} for one in (7, "7", True, 2.5)], RecordLimits())
    ours = program("values").Table({"state": {"spec": spec}}, None)
    for value in (7, 7.0, "7", True, 1, 1.0, 2.5):
        assert ours.encode({"x": value})[0] == MODALITIES["record"].codec.pack({"x": value}, spec)


@pytest.mark.parametrize("row", [*ROWS, {}, {"age": True, "sex": 3}, {"age": 1e9, "sex": "f", "more": 1}])
def test_rows_have_the_tokenizers_codes(row: dict[str, Any]) -> None:
    model = MODELS["fixed"]
    tokenizer = model.streams["row"].tokenizer
    ours = program("values").Table(exportable(model).facts["streams"]["row"], None)
    codes = tokenizer.encode([row])
    assert same(ours.encode(row), codes[0])
    assert ours.decode(codes[0].numpy()) == tokenizer.decode(codes)[0]


def test_arrays_have_the_tokenizers_codes_and_values(tmp_path: Path) -> None:
    model = MODELS["fixed"]
    ours, tokenizer = direct(model, tmp_path), model.streams["image"].tokenizer
    for picture in pictures():
        codes = tokenizer.encode([picture])
        packed = tokenizer.prepare(picture)
        assert same(ours.encode("image", packed), codes.flatten(1, 2))
        (value,) = ours.decode("image", codes.flatten(1, 2).numpy())
        assert same(tokenizer.codec.unpack(value, tokenizer.spec), tokenizer.decode(codes)[0])
    for wrong in (packed[0], packed[:, 1:], packed[:, :, 1:], packed.astype(float), "a.png"):
        with pytest.raises(ValueError, match=r"give uint8 \(3, 16, 12\)$"):
            ours.encode("image", wrong)


@pytest.mark.parametrize("steps", [1, 2, 7, 48, 129])
def test_times_are_torchs(steps: int) -> None:
    """Up to the last bit, which of more than a few steps depends on the processor."""
    found = torch.from_numpy(program("samplers").times(steps))
    torch.testing.assert_close(found, torch.linspace(1, 0, steps + 1), rtol=0, atol=1.2e-7)


@pytest.mark.parametrize(("temperature", "top_p"), [(1, 1), (0.5, 1), (2, 0.8), (0, 1)])
def test_equal_numbers_pick_equal_codes(temperature: float, top_p: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(200, 9, generator=generator)
    uniform = torch.rand(200, dtype=torch.float64, generator=generator)
    options = {"temperature": temperature, "top_p": top_p}
    found = program("samplers").pick(logits.numpy(), uniform.numpy(), options)
    assert same(found, categorical(logits, uniform, **options))
    assert np.allclose(program("samplers").gumbel(uniform.numpy()), gumbel(uniform), rtol=1e-12)


@models
@pytest.mark.parametrize("sampler", sorted(RANKED - {"first_hitting"}))
def test_without_randomness_the_draws_are_the_same(model: Model, sampler: str, tmp_path: Path) -> None:
    ours = direct(model, tmp_path)
    picture, options = pictures()[1], {**GREEDY, "sampler": sampler}
    packed = model.streams["image"].tokenizer.prepare(picture)
    theirs = drawn(model, {"image": [picture] * 2}, ["text.long", "row"], 2, **options)
    found = ours.generate({"image": packed}, ["text.long", "row"], n=2, **options)
    for name, i in product(theirs, range(2)):
        assert theirs[name][i] == found[i][name]
    first = {**options, "unconditional_sampler": sampler, "guidance": 1.5}
    given = {"text.short": TEXTS[0], "row": ROWS[0]}
    for known in ({}, given):
        codes = drawn(model, {name: [value] for name, value in known.items()}, ["image"], 1, **first)
        (sample,) = ours.generate(known, ["image"], **first)
        tokenizer: Any = model.streams["image"].tokenizer
        assert same(tokenizer.codec.unpack(sample["image"], tokenizer.spec), codes["image"][0])


@models
def test_the_graph_is_the_denoiser_whatever_is_in_the_canvas(model: Model, tmp_path: Path) -> None:
    ours, sample = direct(model, tmp_path), program("sample")
    codes = model.codes({"text.long": [*TEXTS[:3]], "image": pictures(), "row": ROWS})
    for known, want in ((["text.long"], ["image"]), (["image", "row"], ["text.short"]), ([], ["row"])):
        canvas = model.loom.canvas({name: codes[name] for name in known}, want, 3)
        fields = {
            key: sample.Field(f.state.numpy(), f.valid.numpy(), bool(f.given.all()))
            for key, f in canvas.items()
        }
        theirs, found = model.loom(canvas), ours.denoise(fields)
        for key, f in canvas.items():
            torch.testing.assert_close(
                torch.from_numpy(found[key])[f.valid], theirs[key][f.valid], rtol=0, atol=1e-4
            )


def test_a_graph_is_written_for_any_number_of_samples_and_refused_by_name(tmp_path: Path) -> None:
    """As ONNX; it takes some seconds, in which torch's exporter is imported."""
    pytest.importorskip("onnxscript")
    graph = exportable(MODELS["fixed"]).graphs["decode.image"]
    write_onnx(tmp_path / "decode.onnx", graph)
    session = onnxruntime.InferenceSession(str(tmp_path / "decode.onnx"))
    for n in (1, 3):
        codes = torch.randint(16, (n, *graph.inputs["codes"].shape[1:]))
        (found,) = session.run(None, {"codes": codes.numpy()})
        assert np.abs(found.astype(int) - graph.function(codes).numpy()).max() <= 1
    fickle = Function(torch.nn.Identity(), lambda x: x if bool(x.sum() > 0) else -x)
    with pytest.raises(BadRun, match=r"^fickle cannot be exported as ONNX"):
        write_onnx(tmp_path / "fickle.onnx", Graph(fickle, {"x": torch.zeros(2, 3)}, ["y"]))


def test_samples_are_those_of_their_seed_and_vary(tmp_path: Path) -> None:
    ours = direct(MODELS["fixed"], tmp_path)
    one, two, other = (
        ours.generate({}, ["text.long"], n=n, seed=seed, steps=4) for n, seed in ((4, 0), (2, 0), (4, 1))
    )
    assert one[:2] == two
    assert one != other
    assert len({sample["text.long"] for sample in one}) > 1


def test_what_the_program_lacks_is_refused_by_name() -> None:
    assert program("samplers").SAMPLERS.keys() == RANKED
    streams = MODELS["fixed"].streams
    for config, named in (
        (LoomConfig(width=8, process="uniform"), "sampler ancestral of the process uniform"),
        (LoomConfig(width=8, sampling=CodeSamplingConfig("remasking")), "sampler remasking"),
    ):
        with pytest.raises(BadValue, match=named):
            exportable(Model(streams, build_loom(streams, config, seed=0)))


def test_bad_requests_are_refused(tmp_path: Path) -> None:
    ours = direct(MODELS["fixed"], tmp_path)
    for known, want, options in (
        ({"sound": 1}, ["row"], {}),
        ({"row": {}}, ["row"], {}),
        ({}, [], {}),
        ({}, ["row"], {"churn": 1}),
    ):
        with pytest.raises(ValueError, match="unknown, given and wanted"):
            ours.generate(known, want, **options)


def test_values_of_another_kind_are_refused(tmp_path: Path) -> None:
    ours = direct(MODELS["fixed"], tmp_path)
    with pytest.raises(ValueError, match="a dict; give a text"):
        ours.encode("text.long", {"age": 3})
    with pytest.raises(ValueError, match="a str; give a row"):
        ours.encode("row", "age")
    for options in ({"n": 0}, {"steps": 0}, {"temperature": -1.0}):
        with pytest.raises(ValueError, match="n and steps are at least 1"):
            ours.generate({}, ["row"], **options)


def test_files_are_read_as_modaloom_does(tmp_path: Path) -> None:
    read, path = program("sample")._read, tmp_path / "a.txt"
    for data in (b"a red circle\n", b"a\r\n", b"\xef\xbb\xbfa\n\n", b"a"):
        path.write_bytes(data)
        assert read(f"@{path}") == MODALITIES["text"].read(path)
    assert read("@@home") == "@home"


def test_a_users_mistake_ends_the_program_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sample, ours = program("sample"), direct(MODELS["fixed"], tmp_path)
    monkeypatch.setattr(sample, "Model", lambda folder: ours)
    for words, named in ((["--given", "sound=1"], "sound"), (["--given", "row=@none.json"], "none.json")):
        monkeypatch.setattr("sys.argv", ["sample.py", "--want", "text.long", "--out", "out", *words])
        with pytest.raises(SystemExit, match="2"):
            sample.main()
        assert named in capsys.readouterr().err
