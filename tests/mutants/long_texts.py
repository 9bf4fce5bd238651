"""Texts of any length: broken."""

from mutant import Mutant

TEXTS, FILES = "modalities/test_text_modality.py", "data/test_long_files.py"
GOING_ON = "loom/test_long_texts.py"
BYTES, CHANGED = "tokenizers/test_byte_vqvae.py", "loom/test_strength.py"

LONG_TEXTS = (
    Mutant(
        "bits per character are bits per text",
        "loom/evaluation/rate.py",
        "drawn[..., 0].sum(1) / drawn[..., 1].sum(1)",
        "drawn[..., 0].mean(1)",
        "loom/test_rate.py",
    ),
    Mutant(
        "a block that is given all that fits draws nothing more",
        "loom/long_streams.py",
        "most[i] = min(self.overlap, max(1, int(OVERLAP * len(rows))))",
        "most[i] = self.overlap",
        "loom/test_long_streams.py",
    ),
    Mutant(
        "frequencies of characters that tell no end",
        "evaluation/unigram.py",
        "for one in (*text, END))",
        "for one in text)",
        "loom/test_rate.py",
    ),
    Mutant(
        "codes that all positions share are drawn anew at any strength",
        "diffusion/masked.py",
        "return torch.where(state == MASK, codes, state)",
        "return codes",
        CHANGED,
    ),
    Mutant(
        "codes that all positions share stay at any strength",
        "loom/model.py",
        "else shared)]",
        "else [])]",
        CHANGED,
    ),
    Mutant(
        "windows that end within a character",
        "modalities/text.py",
        "return data[place] & 0xC0 != 0x80",
        "return True",
        TEXTS,
    ),
    Mutant(
        "windows that end between a letter and its marks",
        "modalities/text.py",
        'category(character).startswith("M")',
        'category(character).startswith("X")',
        TEXTS,
    ),
    Mutant(
        "texts that are cut within a character",
        "tokenizers/bpe.py",
        ".removesuffix(INVALID)",
        "",
        "tokenizers/test_bpe.py",
    ),
    Mutant(
        "windows that end within a word",
        "modalities/text.py",
        "> 0:\n        return space",
        "> 0:\n        return end",
        TEXTS,
    ),
    Mutant(
        "windows of one file in several splits",
        "data/long_files.py",
        "file_of if whole else {}",
        "{}",
        FILES,
    ),
    Mutant(
        "a few short texts that are taken for books",
        "data/long_files.py",
        "median_low(counts) >= LONG",
        "max(counts) >= LONG",
        FILES,
    ),
    Mutant(
        "texts that go on after their end",
        "tokenizers/bpe.py",
        "[row[: int((row[:, 0] < self.eos).cumprod(0).sum())] for row in codes]",
        "[*codes]",
        GOING_ON,
    ),
    Mutant(
        "ends of texts that are never kept",
        "tokenizers/bpe.py",
        "end = math.nan if self.shape.variable else len(value)",
        "end = math.nan",
        GOING_ON,
    ),
    Mutant(
        "an error of bytes that is relative to nothing",
        "modalities/byte_codec.py",
        ".mean() / entropy.clamp_min(1e-12)",
        ".mean()",
        BYTES,
    ),
    Mutant(
        "texts of bytes that go on after their end",
        "tokenizers/byte_vqvae.py",
        "row[: self._length(row) // self.strides[0]]",
        "row",
        BYTES,
    ),
    Mutant(
        "values whose codes are not noised before they are changed",
        "diffusion/process.py",
        "t=torch.zeros_like(field.t)), field.t, uniform",
        "t=field.t), field.t, uniform",
        CHANGED,
    ),
    Mutant(
        "bits of texts for each of them instead of each character",
        "loom/evaluation/bounds.py",
        ".sum()) / total",
        ".sum()) / len(values)",
        GOING_ON,
    ),
    Mutant(
        "prompts whose last token is drawn anew",
        "loom/long_streams.py",
        "self.shape.variable and tokenizer.files is not None",
        "self.shape.variable",
        GOING_ON,
    ),
)
