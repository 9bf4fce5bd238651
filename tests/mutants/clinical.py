"""Mutants of the modalities of medicine and biology."""

from mutant import Mutant

SEQUENCE, DICOM = "modalities/test_sequence.py", "modalities/test_dicom.py"

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
    Mutant(
        "units without the intercept",
        "modalities/dicom_file.py",
        "values * slopes + intercepts",
        "values * slopes",
        DICOM,
    ),
    Mutant(
        "inverted grey that is not",
        "modalities/dicom_file.py",
        "return -1 - values if signed else ((1 << bits) - 1 -",
        "return values if signed else ((1 << bits) - 1 -",
        DICOM,
    ),
    Mutant(
        "a window from its centre on",
        "modalities/dicom_file.py",
        "return centre - width / 2, centre + width / 2",
        "return centre, centre + width",
        DICOM,
    ),
)
