"""Codecs of transformers as tokenizers. Oracle: the library's own codes and waveforms."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from codecs_on_disk import RATE, write_codec
from safetensors import torch as safetensors

from modaloom.core.errors import BadFile, BadFolder, BadValue
from modaloom.modalities import MODALITIES
from modaloom.modalities.audio import AUDIO
from modaloom.modalities.audio_spec import AudioLimits
from modaloom.modalities.audio_value import Audio
from modaloom.runs.tokenizers import restore_tokenizer, tokenizer_facts
from modaloom.tokenizers import TOKENIZERS
from modaloom.tokenizers.pretrained import find_pretrained

transformers = pytest.importorskip("transformers")

LENGTHS = 400, 403, 17
"""Samples of the sounds; the last ones end within a code."""


def _dac_input(wave: torch.Tensor) -> torch.Tensor:
    """As the library's feature extractor pads it."""
    extractor = transformers.DacFeatureExtractor(sampling_rate=RATE, hop_length=10)
    return torch.from_numpy(np.array(extractor(wave[0, 0].numpy(), sampling_rate=RATE).input_values))


ENCODE: dict[str, Callable[[Any, torch.Tensor], torch.Tensor]] = {
    "Encodec": lambda codec, wave: codec.encode(wave, bandwidth=12.0).audio_codes[0],
    "Dac": lambda codec, wave: codec.encode(_dac_input(wave)).audio_codes,
    "Mimi": lambda codec, wave: codec.encode(wave).audio_codes,
}
"""(Codec, samples (1, 1, n)) → the library's codes (1, Q, T)."""
DECODE: dict[str, Callable[[Any, torch.Tensor], torch.Tensor]] = {
    "Encodec": lambda codec, codes: codec.decode(codes[None], [None]).audio_values,
    "Dac": lambda codec, codes: codec.decode(audio_codes=codes).audio_values[:, None],
    "Mimi": lambda codec, codes: codec.decode(codes).audio_values,
}
"""(Codec, codes (1, Q, T)) → the library's samples (1, 1, about T · stride)."""
STRIDES = {"Encodec": 8, "Dac": 10, "Mimi": 16}


def sounds() -> list[Audio]:
    random = np.random.default_rng(0)
    waves = [np.round(6000 * random.normal(size=(1, n))).clip(-(2**15), 2**15 - 1) for n in LENGTHS]
    return [Audio((wave / 2**15).astype(np.float32), RATE) for wave in waves]


def load(place: Path, *, frozen: bool = True, **options: int) -> Any:
    """The tokenizer of a directory, for sounds of at most a second."""
    part = find_pretrained(place, frozen=frozen)
    assert part is not None
    made = TOKENIZERS[part.kind].fit(AUDIO, {"a": sounds()}, AudioLimits(), replace(part.options, **options))
    tokenizer = made[0]["a"]
    tokenizer.load_pretrained(place)
    return tokenizer.eval()


@pytest.fixture(scope="module", params=[*ENCODE])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Any]:
    place = tmp_path_factory.mktemp("codecs") / request.param
    return request.param, place, write_codec(request.param, place)


def test_codes_and_waveforms_are_those_of_the_library(case: tuple[str, Path, Any]) -> None:
    name, place, codec = case
    tokenizer = load(place)
    assert tokenizer.strides == (STRIDES[name],)
    assert not any(p.requires_grad for p in tokenizer.parameters())
    codes = tokenizer.encode(sounds())
    assert len(codes.unique()) > 10
    for sound, own, rebuilt in zip(sounds(), tokenizer.rows(codes), tokenizer.decode(codes)):
        with torch.no_grad():
            theirs = ENCODE[name](codec, torch.from_numpy(sound.samples)[None])
            wave = DECODE[name](codec, theirs)[0]
            made = tokenizer.decoder(tokenizer.quantizer.decode(own[None]).movedim(-1, 1))[0]
        assert torch.equal(own.T[None], theirs)
        torch.testing.assert_close(made[:, : wave.shape[1]], wave, rtol=0, atol=1e-5)
        assert not made[:, wave.shape[1] :].any()
        n = -(-sound.samples.shape[1] // STRIDES[name]) * STRIDES[name]
        assert rebuilt.samples.shape == (1, n)
        assert np.abs(rebuilt.samples - made.numpy().clip(-1, 1 - 2**-15)).max() <= 2**-16 + 1e-6
        assert tokenizer.trimmed(rebuilt, sound).samples.shape == sound.samples.shape


def test_fewer_codebooks_are_the_first_ones(case: tuple[str, Path, Any]) -> None:
    _, place, _ = case
    some, every = load(place, num_quantizers=2), load(place)
    codes = some.encode(sounds())
    whole = every.encode(sounds())
    assert torch.equal(codes[codes[..., 0] < 16], whole[whole[..., 0] < 16][:, :2])
    assert torch.equal(some.vectors, every.vectors[:2])
    with pytest.raises(BadValue, match=r"num_quantizers is 9; it must be at least [12] and at most [34]"):
        load(place, num_quantizers=9)


def test_a_state_and_its_tensors_are_the_tokenizer(case: tuple[str, Path, Any]) -> None:
    _, place, _ = case
    tokenizer = load(place)
    again = restore_tokenizer(tokenizer_facts(tokenizer)).eval()
    again.load_state_dict(tokenizer.state_dict())
    codes = tokenizer.encode(sounds())
    assert torch.equal(again.encode(sounds()), codes)
    assert all(map(np.array_equal, *([s.samples for s in t.decode(codes)] for t in (again, tokenizer))))


def test_what_is_trained_on_is_the_decoder(case: tuple[str, Path, Any]) -> None:
    _, place, _ = case
    tokenizer = load(place, frozen=False).train()
    before = tokenizer.eval().encode(sounds())
    crop = torch.from_numpy(np.stack([tokenizer.crop(tokenizer.prepare(sounds()[0]), 0)]))
    tokenizer.train().loss(crop, torch.Generator().manual_seed(0)).total.backward()
    learned = {name.partition(".")[0] for name, p in tokenizer.named_parameters() if p.grad is not None}
    assert learned == {"decoder"}
    assert torch.equal(tokenizer.encode(sounds()), before)


def test_what_does_not_fit_is_refused_by_name(tmp_path: Path) -> None:
    place = tmp_path / "codec"
    write_codec("Encodec", place)
    weights = safetensors.load_file(place / "model.safetensors")
    name = "quantizer.layers.0.codebook.embed"
    for changed, named in (
        ({key: t for key, t in weights.items() if key != name}, f"lacks tensors .*: {name}"),
        ({**weights, "more": torch.zeros(1)}, "does not have: more"),
        ({**weights, name: torch.zeros(3, 8)}, f"of other sizes .*: {name}"),
    ):
        safetensors.save_file(changed, place / "model.safetensors", {"format": "pt"})
        with pytest.raises(BadFile, match=named):
            load(place)
    (place / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(BadFile, match="cannot be read by transformers"):
        load(place)
    (place / "model.safetensors").rename(place / "pytorch_model.bin")
    with pytest.raises(BadFolder, match=r"has no model\.safetensors; pytorch_model\.bin is a pickle"):
        load(place)
    for settings, named in (
        ({"normalize": True}, "normalize or chunk_length_s"),
        ({"chunk_length_s": 1.0}, "normalize or chunk_length_s"),
        ({"codebook_size": 15}, "transformers builds no EncodecModel .*power of 2"),
        ({"sampling_rate": 16000}, "read as 8,000 Hz and channels: 1; the EncodecModel is of 16,000 Hz"),
        ({"audio_channels": 2}, "is of 8,000 Hz and channels: 2.*max_channels=2"),
    ):
        other = tmp_path / next(iter(settings))
        write_codec("Encodec", other, **{key: n for key, n in settings.items() if key != "codebook_size"})
        if "codebook_size" in settings:
            text = (other / "config.json").read_text()
            (other / "config.json").write_text(text.replace('"codebook_size": 16', '"codebook_size": 15'))
        with pytest.raises(BadValue, match=named):
            load(other)
    part = find_pretrained(other, frozen=True)
    assert part is not None
    with pytest.raises(BadValue, match="image has no waveform"):
        TOKENIZERS[part.kind](MODALITIES["image"], {"size": [8, 8], "channels": 3}, part.options)
