"""Mutants of the modalities of medicine and biology."""

from mutant import Mutant

SEQUENCE = "modalities/test_sequence.py"

CLINICAL = (
    Mutant(
        "letters that were not learned read as another one",
        "modalities/sequence.py",
        "letter if letter in alphabet else unknown",
        "letter if letter in alphabet else alphabet[0]",
        SEQUENCE,
    ),
    Mutant(
        "letters after the end of a drawn sequence",
        "modalities/sequence.py",
        "end = codes.index(0) if 0 in codes else len(codes)",
        "end = len(codes)",
        SEQUENCE,
    ),
)
