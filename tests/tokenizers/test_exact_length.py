"""Clips of any number of frames come back with as many, through codes of four frames each."""

import numpy as np
import pytest
import torch

from modaloom.core.errors import BadValue
from modaloom.loom.config import PRESETS, LoomRunConfig
from modaloom.loom.layout import FieldLayout
from modaloom.modalities.video import VIDEO
from modaloom.modalities.video_value import Video
from modaloom.tokenizers.lengths import with_end, without_end
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer


def clip(n: int, side: int = 16) -> Video:
    return Video.of(np.random.default_rng(n).integers(0, 256, (n, side, side, 3)).astype(np.uint8), 8)


@pytest.fixture(scope="module")
def tokenizer() -> VQVAETokenizer:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        options = LoomRunConfig().tokenizer_of("video", "video").options
        group = VQVAETokenizer.fit(VIDEO, {"video": [clip(20)]}, VIDEO.limits, options)
    return group[0]["video"].eval()


def test_the_tokenizer_of_clips_has_codes_of_four_frames(tokenizer: VQVAETokenizer) -> None:
    assert tokenizer.strides == (4, 8, 8)
    assert (tokenizer.shape.grid, tokenizer.shape.depth, tokenizer.shape.shared) == ((5, 2, 2), 4, 1)
    assert tokenizer.vectors.shape[0] == tokenizer.shape.depth


@pytest.mark.parametrize(
    ("preset", "side", "positions"), [("tiny", 32, 128), ("small", 64, 512), ("base", 128, 2048)]
)
def test_every_preset_has_clips_of_its_size(preset: str, side: int, positions: int) -> None:
    """Codes of 4 × 8 × 8, as many pixels as those of its pictures have; 4 s of 8 frames a second."""
    run = PRESETS[preset]()
    assert run.data.limits_of("video").max_side == run.data.limits_of("image").max_side == side
    options, picture = (run.tokenizer_of(name, name).options for name in ("video", "image"))
    found = VQVAETokenizer(VIDEO, {"size": [32, side, side], "channels": 3}, options)
    assert found.strides == (4, *picture.strides_of([side, side])) == (4, 8, 8)
    assert found.shape.num_positions == positions
    shared = ("widths", "num_res_blocks", "codebook_size", "latent_dim")
    assert {n: getattr(options, n) for n in shared} == {n: getattr(picture, n) for n in shared}


def test_every_length_comes_back(tokenizer: VQVAETokenizer) -> None:
    """Of other numbers than 4k + 1, too."""
    clips = [clip(n) for n in range(1, 21)]
    codes = tokenizer.encode(clips)
    assert [made.length for made in tokenizer.decode(codes)] == [*range(1, 21)]
    for one, row in zip(clips, codes):
        assert torch.equal(tokenizer.encode([one])[0], row)
        assert (row[: -(-one.length // 4)] < tokenizer.shape.padding).all()
        assert (row[-(-one.length // 4) :] == tokenizer.shape.padding).all()


def test_the_end_is_no_part_of_the_signal(tokenizer: VQVAETokenizer) -> None:
    """A clip of 13 frames has the codes of one of 16 whose last frame is repeated, but for the length."""
    short = clip(13)
    held = Video.of(short.frames[[*range(13), 12, 12, 12]], 8)
    a, b = tokenizer.encode([short, held])
    assert torch.equal(a[..., :-1], b[..., :-1])
    assert a[0, 0, 0, -1] == 3
    assert b[0, 0, 0, -1] == 0
    made, whole = tokenizer.decode(torch.stack([a, b]))
    assert np.array_equal(made.frames, whole.frames[:13])


def test_the_end_goes_through_the_looms_fields(tokenizer: VQVAETokenizer) -> None:
    """As one token of its own."""
    shape = tokenizer.shape
    layout, codes = FieldLayout({"video": shape}), tokenizer.encode([clip(n) for n in (3, 13, 20)])
    flat = codes.reshape(3, shape.num_positions, shape.depth)
    fields = layout.split({"video": flat})
    assert fields["video:shared"].tolist() == [[[1]], [[3]], [[0]]]
    assert torch.equal(layout.join(fields)["video"], flat)


def test_a_generated_end_is_bounded() -> None:
    codes = torch.randint(7, (1, 2, 3, 3, 2))
    for said, taken in ((0, 0), (3, 3), (200, 3)):
        found, missing = without_end(with_end(codes, said), 4)
        assert torch.equal(found, codes)
        assert missing == taken
    assert without_end(torch.zeros(1, 0, 3, 3, 2), 4)[1] == 0


def test_options_are_checked() -> None:
    with pytest.raises(BadValue, match="variable_length"):
        VQVAEConfig(exact_length=True)
    spec = VIDEO.infer_spec([clip(16)], VIDEO.limits)
    sizes = VQVAEConfig(
        codebook_size=8, strides=(16, 8, 8), crop_size=(16, 16, 16), variable_length=True, exact_length=True
    )
    with pytest.raises(BadValue, match="at least the first stride, 16; it is 8"):
        VQVAETokenizer(VIDEO, spec, sizes)


def test_codes_and_clips_do_not_depend_on_the_size_of_the_parts(
    tokenizer: VQVAETokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Encoded and decoded whole, and in tiles of three sizes along time and space."""
    from modaloom.networks import tiled

    wide = clip(20, side=16)
    codes = tokenizer.encode([wide])
    (whole,) = tokenizer.decode(codes)
    for most in (2**16, 2**17, 2**18):
        monkeypatch.setattr(tiled, "MAX_ELEMENTS", most)
        assert torch.equal(tokenizer.encode([wide]), codes)
        (made,) = tokenizer.decode(codes)
        assert np.abs(made.frames.astype(int) - whole.frames).max() <= 1
