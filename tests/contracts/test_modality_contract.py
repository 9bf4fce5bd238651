"""What holds for every modality of the table. A new one needs a line in EXAMPLES and nothing else."""

import io
import math
import os
import re
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from modaloom.core.errors import BadFile, BadValue, ModaloomError
from modaloom.core.rng import generator
from modaloom.modalities import MODALITIES, CategoricalCodec, Modality, SignalCodec
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.member import Member
from modaloom.modalities.unit import array_to_unit, from_unit, scale_of, to_packed
from modaloom.modalities.video_value import Video
from modaloom.modalities.volume_value import Volume


def picture(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (16, 24, 3), np.uint8))


def tone(hz: float, seconds: float) -> Audio:
    """A loud tone and a little noise in 16 bits, which a spectrogram gives back but for its phases."""
    t = np.arange(round(16_000 * seconds)) / 16_000
    wave = 0.97 * np.sin(2 * np.pi * hz * t) + 0.01 * np.random.default_rng(0).uniform(-1, 1, len(t))
    return Audio((np.round(wave * 32_768) / 32_768)[None].astype(np.float32), 16_000)


def moving(n: int, seed: int) -> Video:
    """Smooth frames that move, black and white among them."""
    t, y, x = np.meshgrid(np.arange(n) / 8, np.arange(16) / 16, np.arange(24) / 24, indexing="ij")
    waves = [np.sin(2 * np.pi * (x + t * seed + y * c / 12)) for c in range(3)]
    return Video.of(np.round(127.5 * (1 + np.stack(waves, -1))).astype(np.uint8), 8)


def scan(seed: int) -> Volume:
    """12 bits on a grid of voxels of 2 × 1.5 × 1 mm, some way from the middle."""
    values = np.random.default_rng(seed).integers(0, 4096, (8, 16, 24), np.uint16)
    return Volume(values, np.array([[1.0, 0, 0, -9], [0, 1.5, 0, 4], [0, 0, 2, 30], [0, 0, 0, 1]]))


EXAMPLES: dict[str, list[Any]] = {
    "image": [picture(seed) for seed in range(3)],
    "raster": [np.random.default_rng(seed).integers(0, 4096, (16, 24, 2), np.uint16) for seed in range(3)],
    "text": ["three", "", 'two\nlines & <b>"bold"</b> 日本 🙂'],
    "record": [{"age": 31, "sex": "f"}, {"age": 4.5, "sex": None, "ill": True}, {"note": "<b>日本</b>"}],
    "sequence": ["ACGTTA", "", "NNACGT-ACGTACGTACGTAC*"],
    "audio": [tone(440, 0.31), tone(300, 0.5), tone(1234.5, 0.2)],
    "video": [moving(6, 1), moving(11, 2), moving(8, 3)],
    "volume": [scan(seed) for seed in range(3)],
}
TAKEN: dict[str, type] = {"raster": np.ndarray, "volume": np.ndarray}
"""What a modality takes beside its own values."""
BROKEN = {
    "image": b"\x89PNG\r\n\x1a\n garbage",
    "raster": b"\x93NUMPY garbage",
    "text": b"\xff\xfe\x00",
    "record": b"{'a': 1}",
    "sequence": b">a\nAC6T\n",
    "audio": b"RIFF\x10\0\0\0WAVE garbage",
    "video": b"\0\0\0\x18ftypisom garbage",
    "volume": b"\x1f\x8b garbage",
}

LOSSY: dict[str, Callable[[Any], Any]] = {"video": lambda clip: (clip.facts, clip.frames.astype(float))}
"""Modalities of which a file keeps facts, and numbers nearly."""

every = pytest.mark.parametrize("modality", MODALITIES.values(), ids=MODALITIES)
SIGNALS = [m for m in MODALITIES.values() if isinstance(m.codec, SignalCodec)]
PACKED = [m for m in MODALITIES.values() if isinstance(m.codec, SignalCodec | CategoricalCodec)]
FITTED = [m for m in SIGNALS if m.signal.fit is not None]
"""Those of which a packed array does not determine the value."""
packs = pytest.mark.parametrize("modality", PACKED, ids=lambda m: m.name)
fitted = pytest.mark.parametrize("modality", FITTED, ids=lambda m: m.name)
signals = pytest.mark.parametrize("modality", SIGNALS, ids=lambda m: m.name)


def plain(value: Any) -> Any:
    """Something that == compares."""
    return np.asarray(value).tolist() if isinstance(value, Image.Image | np.ndarray) else value


def test_the_table_is_keyed_by_name_and_suffixes_are_unique() -> None:
    assert all(name == modality.name for name, modality in MODALITIES.items())
    suffixes = [suffix for modality in MODALITIES.values() for suffix in modality.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(re.fullmatch(r"[a-z0-9]+(\.gz)?", suffix) for suffix in suffixes)


@every
def test_written_values_read_back(modality: Modality, tmp_path: Path) -> None:
    for i, value in enumerate(EXAMPLES[modality.name]):
        path = tmp_path / f"{i}.{modality.suffixes[0]}"
        modality.write(value, path)
        found = modality.read(path)
        if (facts := LOSSY.get(modality.name)) is None:
            assert plain(found) == plain(value)
            continue
        (kept, near), (wanted, exact) = facts(found), facts(value)
        assert kept == wanted
        assert np.abs(near - exact).mean() < 6


@every
def test_the_same_value_gives_the_same_bytes(modality: Modality, tmp_path: Path) -> None:
    a, b = (tmp_path / f"{name}.{modality.suffixes[0]}" for name in "ab")
    modality.write(EXAMPLES[modality.name][1], a)
    modality.write(EXAMPLES[modality.name][1], b)
    assert a.read_bytes() == b.read_bytes()


def broken(path: Path, data: bytes) -> None:
    path.write_bytes(data)


FAULTS: dict[str, Callable[[Path, Modality], Any]] = {
    "missing": lambda path, modality: None,
    "empty": lambda path, modality: broken(path, b""),
    "mislabelled": lambda path, modality: broken(path, BROKEN[modality.name]),
    "pipe": lambda path, modality: os.mkfifo(path),
    "folder": lambda path, modality: path.mkdir(),
    "link loop": lambda path, modality: path.symlink_to(path),
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("fault", FAULTS)
@every
def test_bad_files_are_named(modality: Modality, fault: str, tmp_path: Path) -> None:
    path = tmp_path / f"bad.{modality.suffixes[0]}"
    FAULTS[fault](path, modality)
    with pytest.raises(BadFile, match=re.escape(str(path))) as caught:
        modality.read(path)
    assert caught.value.path == path


@every
def test_values_of_the_modality_are_taken_as_they_are(modality: Modality) -> None:
    for value in EXAMPLES[modality.name]:
        assert plain(modality.coerce(value)) == plain(value)


@pytest.mark.parametrize(
    "value",
    [None, 3, math.nan, True, b"bytes", [1, 2], ("a",), {1, 2}, np.zeros((4, 4, 3)), io.BytesIO(), object()],
    ids=lambda value: type(value).__name__,
)
@every
def test_values_of_no_modality_are_refused_by_type(modality: Modality, value: object) -> None:
    if isinstance(value, TAKEN.get(modality.name, ())):
        assert modality.coerce(value) is not None
        return
    name = "None" if value is None else type(value).__name__
    with pytest.raises(BadValue, match=rf"^{name}\b.* is no \w+; give a ") as caught:
        modality.coerce(value)
    assert "0x" not in str(caught.value)


@every
def test_values_of_another_modality_are_refused(modality: Modality) -> None:
    for other, values in EXAMPLES.items():
        if other not in (modality.name, *modality.kin) and not isinstance(values[0], str):
            with pytest.raises(BadValue, match=f"{type(values[0]).__name__} is no "):
                modality.coerce(values[0])


@signals
def test_whole_values_come_back_to_the_bit(modality: Modality) -> None:
    facts = modality.signal.measure(EXAMPLES[modality.name])
    for value in EXAMPLES[modality.name]:
        packed = to_packed(modality, facts, value)
        assert plain(modality.signal.from_array(packed, facts)) == plain(value)
        signal = array_to_unit(modality, facts, packed)
        assert 0 <= signal.min() <= signal.max() <= 1
        assert plain(from_unit(modality, facts, signal)) == plain(value)
        torch.testing.assert_close(scale_of(modality, facts).quantize(signal), signal)
        torch.testing.assert_close(scale_of(modality, facts).clamp(signal), signal)


@every
def test_show_is_self_contained_and_escaped(modality: Modality) -> None:
    for value in EXAMPLES[modality.name]:
        fragment = modality.to_html(value, {})
        assert re.search(r"^<\w+.*>$", fragment, re.DOTALL)
        assert not re.search(r"https?:|file:|<script|<b>|src=\"(?!data:)", fragment)


@every
def test_a_look_is_a_coloured_picture_and_signals_have_one(modality: Modality) -> None:
    assert (modality.picture is not None) == modality.codec.continuous
    for value in EXAMPLES[modality.name] if modality.picture else []:
        look = modality.picture(value, {})
        assert look.mode == "RGB"
        assert min(look.size) > 0


@every
def test_a_str_is_a_value_of_texts_alone(modality: Modality) -> None:
    if modality.literal:
        assert modality.coerce("a/b.txt") == "a/b.txt"
    else:
        with pytest.raises(ModaloomError):
            modality.coerce("a/b.txt")


@every
def test_compare_of_equals_is_perfect_and_of_others_is_not(modality: Modality) -> None:
    values = EXAMPLES[modality.name]
    spec = modality.infer_spec(values, modality.limits)
    same, other = modality.compare(values[0], values[0], spec), modality.compare(values[1], values[0], spec)
    assert same.keys() >= other.keys()
    assert same != other
    assert all(np.isfinite(figure) for figure in [*same.values(), *other.values()])


@every
def test_no_value_makes_no_stream(modality: Modality) -> None:
    """Such as where no file of a stream can be read; texts need none for theirs."""
    with nullcontext() if modality.literal else pytest.raises(BadValue):
        modality.infer_spec(iter([]), modality.limits)


@every
def test_describe_says_something(modality: Modality) -> None:
    assert modality.describe(iter(EXAMPLES[modality.name]))


@packs
def test_packed_values_have_the_forms_shape_and_come_back(modality: Modality) -> None:
    values = EXAMPLES[modality.name]
    spec = modality.infer_spec(values, modality.limits)
    codec: Any = modality.codec
    for value in values:
        packed = codec.pack(value, spec)
        assert packed.shape[-len(spec["size"]) :] == tuple(spec["size"])
        again = codec.pack(codec.unpack(packed, spec), spec)
        assert again.shape == packed.shape
        assert modality in FITTED or (again == packed).all()


@fitted
def test_what_fits_is_what_is_packed_and_comes_back_nearly(modality: Modality) -> None:
    values, codec = EXAMPLES[modality.name], modality.signal
    spec = modality.infer_spec(values, modality.limits)
    for value in values:
        fits, packed = codec.fitted(value, spec), codec.pack(value, spec)
        assert plain(codec.fitted(fits, spec)) == plain(fits)
        assert (codec.pack(fits, spec) == packed).all()
        pair = torch.from_numpy(np.stack([packed, codec.pack(codec.unpack(packed, spec), spec)]))
        assert float(codec.normalize(pair).diff(dim=0).abs().mean()) < 0.1


@signals
def test_signals_are_in_range_and_come_back(modality: Modality) -> None:
    spec = modality.infer_spec(EXAMPLES[modality.name], modality.limits)
    codec = modality.signal
    packed = torch.stack([torch.from_numpy(codec.pack(v, spec)) for v in EXAMPLES[modality.name]])
    signal = codec.normalize(packed)
    assert signal.dtype == torch.float32
    assert signal.shape[:2] == (len(packed), spec["channels"])
    assert signal.abs().max() <= 1
    assert signal.min() < -0.9
    assert signal.max() > 0.9
    assert torch.equal(codec.denormalize(signal), packed)
    assert torch.equal(codec.denormalize(signal * 9), codec.denormalize(signal.mul(9).clamp(-1, 1)))
    assert torch.equal(codec.loss(signal, signal), torch.zeros(len(packed)))
    assert (codec.loss(signal, -signal) > 0).all()
    part = (..., *(slice(1, 1 + side // 2) for side in spec["size"]))
    assert torch.equal(codec.normalize(packed[part]), signal[part])
    again = codec.normalize(torch.from_numpy(codec.pack(codec.blank(spec), spec))[None])
    assert modality in FITTED or again.abs().max() < 0.01


@signals
def test_a_variant_is_a_packed_value_changed_by_what_has_a_strength_alone(modality: Modality) -> None:
    spec = modality.infer_spec(EXAMPLES[modality.name], modality.limits)
    codec = modality.signal
    packed = torch.from_numpy(codec.pack(EXAMPLES[modality.name][0], spec))
    before = packed.clone()

    def varied(seed: int, *names: str) -> torch.Tensor:
        return codec.variant(packed, lambda name: generator(seed, name), dict.fromkeys(names, 0.5))

    assert torch.equal(varied(0), packed)
    assert torch.equal(varied(0, "of another modality"), packed)
    for name in codec.augmentations:
        found = [varied(seed, name) for seed in range(8)]
        assert {(one.shape, one.dtype) for one in found} == {(packed.shape, packed.dtype)}
        assert any(not torch.equal(one, packed) for one in found)
        assert torch.equal(varied(3, name), found[3])
    assert torch.equal(packed, before)


@every
def test_a_codec_tells_values_apart(modality: Modality) -> None:
    """Equal values are one point and one identity, others are not; the kinds of codec exclude each other."""
    values = EXAMPLES[modality.name]
    spec = modality.infer_spec(values, modality.limits)
    points = modality.codec.features([*values, *values], spec)
    assert points.dtype == torch.float32
    assert points.ndim == 2
    n = len(values)
    assert torch.equal(points[:n], points[n:])
    assert len({row.numpy().tobytes() for row in points}) == n
    keys = modality.codec.identity_keys([*values, *values], spec)
    assert keys[:n] == keys[n:]
    assert len(set(keys)) == n


@every
def test_the_wrong_codec_is_refused_by_name(modality: Modality) -> None:
    for kind, narrowed in ((SignalCodec, "signal"), (CategoricalCodec, "categorical")):
        if isinstance(modality.codec, kind):
            assert getattr(modality, narrowed) is modality.codec
        else:
            with pytest.raises(BadValue, match=modality.name):
                getattr(modality, narrowed)


@every
def test_members_of_archives_are_read_like_files(modality: Modality, tmp_path: Path) -> None:
    """Bytes in the middle of another file, which begin like none that is read; the file is the oracle."""
    for i, value in enumerate(EXAMPLES[modality.name]):
        path, archive = tmp_path / f"{i}.{modality.suffixes[0]}", tmp_path / f"{i}.tar"
        modality.write(value, path)
        data = path.read_bytes()
        archive.write_bytes(b"\0" * 513 + data + b"\xff" * 700)
        member = Member(archive, f"a/{path.name}", 513, len(data))
        assert plain(modality.read(member)) == plain(modality.read(path))
        assert modality.remarks([member]) == modality.remarks([path])
        if modality.exact is not None:
            assert modality.exact([member]) == modality.exact([path])
        for fault in (Member(archive, path.name, 513, 0), Member(archive, path.name, 10**6, len(data))):
            with pytest.raises(BadFile, match=re.escape(str(fault))):
                modality.read(fault)
