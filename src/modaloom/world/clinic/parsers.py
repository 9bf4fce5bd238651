"""Values of the clinic's streams → facts. Shares no code with what draws them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from modaloom.world.scene import INVALID

MEASURED: Mapping[str, tuple[float, float]] = {
    "crp": (1.0, 45.0),
    "iron": (6.0, 28.0),
    "urea": (2.5, 8.0),
    "sodium": (132.0, 143.0),
    "calcium": (2.05, 2.6),
    "age": (21.0, 87.0),
}
"""Measurement → its lowest and highest value, of twelve levels."""
LETTERS = ("AG", "CT", "GA", "TC", "TC", "GA", "CT", "AG", "AT", "CG", "GA", "TC")
"""At each place of the genes the common and the rare letter."""
EDGE = 125
"""Grey level between tissue and lesion."""
MIN_AREA, LARGE = 8, 53
"""Least pixels of a lesion, and those of a filled one between small and large."""


def parse_scan(picture: Image.Image) -> dict[str, str]:
    """`lesion`, `extent`: by the bright pixels, and by what they enclose."""
    grey = np.asarray(picture.convert("L").resize((32, 32)), float)
    bright = grey > EDGE
    bright[:6, :6] = False
    if bright.sum() < MIN_AREA:
        return {"lesion": INVALID, "extent": INVALID}
    y, x = np.nonzero(bright)
    box = (np.ptp(y) + 1) * (np.ptp(x) + 1) * np.pi / 4
    middle = grey[round(y.mean()), round(x.mean())]
    return {"lesion": "disc" if middle > EDGE else "ring", "extent": "large" if box > LARGE else "small"}


def parse_record(row: Mapping[str, Any]) -> dict[str, str]:
    """The level of each measurement, and `sex`."""
    levels = {name: _level(row.get(name), *ends) for name, ends in MEASURED.items()}
    return {**levels, "sex": row["sex"] if row.get("sex") in ("f", "m") else INVALID}


def _level(value: Any, low: float, high: float) -> str:
    if not isinstance(value, int | float):
        return INVALID
    level = round((value - low) / (high - low) * 11)
    return str(level) if 0 <= level <= 11 else INVALID


def parse_genes(letters: str) -> dict[str, str]:
    """Which letter each place has."""
    found = {f"snp{i}": INVALID for i in range(len(LETTERS))}
    for i, (letter, pair) in enumerate(zip(letters, LETTERS)):
        found[f"snp{i}"] = {pair[0]: "common", pair[1]: "rare"}.get(letter, INVALID)
    return found


def parse_note(text: str) -> dict[str, str]:
    """`fever`, `worse`: by the words that a note has."""
    words = set(text.replace(",", " ").replace(";", " ").split())
    times = words & {"morning", "evening"}
    fever = {"high": "yes", "no": "no"}.get(" ".join(words & {"high", "no"}), INVALID)
    return {
        "fever": fever if "fever" in words else INVALID,
        "worse": times.pop() if len(times) == 1 else INVALID,
    }


def parse_diagnosis(row: Mapping[str, Any]) -> dict[str, str]:
    """`disease`."""
    return {"disease": {True: "yes", False: "no"}.get(row.get("invented disease", ""), INVALID)}


PARSERS: Mapping[str, Callable[[Any], dict[str, str]]] = {
    "scan": parse_scan,
    "record": parse_record,
    "genes": parse_genes,
    "note": parse_note,
    "diagnosis": parse_diagnosis,
}
