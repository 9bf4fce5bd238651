"""Texts of any length: broken."""

from mutant import Mutant

TEXTS, FILES = "modalities/test_text_modality.py", "data/test_long_files.py"

LONG_TEXTS = (
    Mutant(
        "windows that end within a character",
        "modalities/text.py",
        "while end > start and _is_within_character(data[end]):",
        "while False:",
        TEXTS,
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
)
