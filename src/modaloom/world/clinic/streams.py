"""What is seen of a patient: a phantom scan, a record of measurements, gene letters, a note, the diagnosis.

Each is a function of its facts and of nuisance that does not depend on the state.
"""

from collections.abc import Mapping

import numpy as np
from PIL import Image

from modaloom.world.clinic.patient import Patient
from modaloom.world.phrasebook import pick

UNITS: Mapping[str, tuple[float, float]] = {
    "crp": (1.0, 4.0),
    "iron": (6.0, 2.0),
    "urea": (2.5, 0.5),
    "sodium": (132.0, 1.0),
    "calcium": (2.05, 0.05),
    "age": (21.0, 6.0),
}
"""Measurement → its value at level 0 (mg/L, µmol/L, mmol/L, mmol/L, mmol/L, years), and a level more."""
COMMON, RARE = "ACGTTGCAACGT", "GTACCATGTGAC"
"""Letters at each place of the genes."""
TISSUE, BRIGHT, NOISE = 70.0, 190.0, 5.0
"""Levels of the phantom and its lesion, and the standard deviation of the noise, of 255."""
RADII: Mapping[str, float] = {"small": 3.0, "large": 5.0}
"""Extent → radius of the lesion, pixels of a scan of 32."""
HOLE = 0.5
"""Inner radius of a ring, relative."""
SITES = (9.5, 15.5, 21.5)
STAMP = ("11111", "10000", "11111", "00001", "11111")
"""An S in a corner of every scan: it is synthetic."""
NOTES = (
    "synthetic note: {fever}, worse in the {worse}",
    "synthetic note: worse in the {worse}, {fever}",
    "invented patient: {fever}, and it gets worse in the {worse}",
    "invented patient, worse in the {worse}; {fever}",
    "synthetic: in the {worse} it is worse, {fever}",
)
FEVER: Mapping[str, str] = {"yes": "high fever", "no": "no fever"}
DIAGNOSIS = "invented disease"
"""Column of the diagnosis."""


def scan(patient: Patient) -> Image.Image:
    """RGB, side × side, grey: a phantom with a disc or a ring in it."""
    rng, side = patient.random("scan"), patient.side
    y, x = (np.indices((side, side)) + 0.5) * 32 / side
    centre = rng.choice(SITES, 2) + rng.uniform(-1, 1, 2)
    radius = RADII[patient.known["extent"]] + rng.uniform(-0.3, 0.3)
    off = np.hypot(y - centre[0], x - centre[1])
    inside = np.clip(radius - off + 0.5, 0, 1)
    if patient.known["lesion"] == "ring":
        inside *= np.clip(off - HOLE * radius + 0.5, 0, 1)
    body = np.clip(15.5 - np.hypot((y - 16) * 0.97, (x - 16) * 1.05), 0, 1)
    pixels = TISSUE * body + (BRIGHT - TISSUE) * inside * body + NOISE * rng.standard_normal((side, side))
    stamp = np.kron(np.array([[*map(int, row)] for row in STAMP]), np.ones((side // 32, side // 32)))
    pixels[: len(stamp), : stamp.shape[1]] = 255 * stamp
    grey = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
    return Image.fromarray(np.repeat(grey[..., None], 3, 2))


def record(patient: Patient) -> dict[str, float | str | bool]:
    """Five measurements, age and sex."""
    numbers = {name: round(zero + step * int(patient.known[name]), 2) for name, (zero, step) in UNITS.items()}
    return {**numbers, "sex": patient.known["sex"], "synthetic": True}


def genes(patient: Patient) -> str:
    """The letter at each of twelve places."""
    rare = (patient.known[f"snp{i}"] == "rare" for i in range(len(COMMON)))
    return "".join(letters[is_rare] for letters, is_rare in zip(zip(COMMON, RARE), rare))


def note(patient: Patient) -> str:
    """A sentence, one of several paraphrases."""
    words = {"fever": FEVER[patient.known["fever"]], "worse": patient.known["worse"]}
    return pick(patient.random("note"), NOTES).format_map(words)


def diagnosis(patient: Patient) -> dict[str, bool]:
    """Whether the patient has the disease."""
    return {DIAGNOSIS: patient.known["disease"] == "yes"}
