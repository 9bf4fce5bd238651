"""Sounds of any length, in pieces: broken."""

from mutant import Mutant

WINDOWS, PHASES, BLOCKS = "core/test_windows.py", "spectral/test_griffin_lim.py", "spectral/test_blockwise.py"
ODD, CODES = "modalities/test_bad_sounds.py", "tokenizers/test_file_codec.py"
LONG = "loom/test_long_sounds.py"

LONG_SOUNDS = (
    Mutant(
        "windows that lack what follows them",
        "core/windows.py",
        "_cut(array, 0, before + size + halo, axis)",
        "_cut(array, 0, before + size, axis)",
        WINDOWS,
    ),
    Mutant(
        "windows that forget what was before them",
        "core/windows.py",
        "first = max(0, before + size - halo)",
        "first = before + size",
        WINDOWS,
    ),
    Mutant(
        "known frames that do not stay",
        "spectral/griffin_lim.py",
        "        spectrum[..., : held.shape[-2], :] = held\n        previous",
        "        previous",
        PHASES,
    ),
    Mutant(
        "blocks that know nothing of the one before",
        "spectral/blockwise.py",
        "known=known\n",
        "known=None\n",
        BLOCKS,
    ),
    Mutant(
        "blocks that meet at a frame that may change",
        "spectral/blockwise.py",
        "start, seam = max(0, held - reach), held + window.own - reach",
        "start, seam = held, held + window.own",
        BLOCKS,
    ),
    Mutant(
        "decoders that begin anew after each piece",
        "modalities/audio_file.py",
        "return False",
        "return True",
        ODD,
    ),
    Mutant(
        "frames at the borders of pieces without their context",
        "modalities/audio_packing.py",
        "FRAMES * stft.hop, halo * stft.hop)",
        "FRAMES * stft.hop, 0)",
        CODES,
    ),
    Mutant(
        "pieces resampled with values beyond full scale",
        "modalities/audio_rate.py",
        "made.clip(-1, 1) for made",
        "made for made",
        CODES,
    ),
    Mutant(
        "codes at borders without their context",
        "tokenizers/file_codec.py",
        "halo * stride, axis=",
        "0, axis=",
        CODES,
    ),
    Mutant(
        "signals at borders without their context",
        "tokenizers/file_codec.py",
        "self.decoded.halo, axis=0",
        "0, axis=0",
        CODES,
    ),
    Mutant(
        "reconstructions as long as their frames",
        "loom/model.py",
        "return self.streams[name].tokenizer.trimmed(rebuilt, value)",
        "return rebuilt",
        LONG,
    ),
    Mutant(
        "files as long as their frames",
        "modalities/audio_file.py",
        "[: max(0, data - (file.tell() - WAV_HEAD))]",
        "",
        CODES,
    ),
    Mutant(
        "shards as wide as their longest file, however many there are",
        "loom/codes.py",
        " or (len(kept) + 1) * longest > SHARD_POSITIONS",
        "",
        LONG,
    ),
)
