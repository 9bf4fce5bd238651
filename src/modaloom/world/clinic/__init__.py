"""The clinic: a synthetic world of invented patients, to measure fusion against the exact posterior.

Nothing in it is of a person, and the disease is invented: it is not for clinical use. No stream suffices:
scan and genes tell the disease together, as a parity, and so do record and note; each tells a little of it by
itself. `bayes.py` has what the best answer is.
"""

from collections.abc import Mapping

from modaloom.world.clinic.patient import Patient
from modaloom.world.clinic.streams import diagnosis, genes, note, record, scan
from modaloom.world.rule import StreamRule

FACTS_OF: Mapping[str, tuple[str, ...]] = {
    "scan": ("lesion", "extent"),
    "record": ("crp", "iron", "urea", "sodium", "calcium", "age", "sex"),
    "genes": tuple(f"snp{i}" for i in range(12)),
    "note": ("fever", "worse"),
}
"""Stream that is given → the facts that can be read from it."""

STREAMS: Mapping[str, StreamRule] = {
    "scan": StreamRule("image", scan, determines=FACTS_OF["scan"]),
    "record": StreamRule("record", record, determines=FACTS_OF["record"]),
    "genes": StreamRule("sequence", genes, determines=FACTS_OF["genes"]),
    "note": StreamRule("text", note, determines=FACTS_OF["note"]),
    "diagnosis": StreamRule("record", diagnosis, determines=("disease",)),
}

__all__ = ["FACTS_OF", "STREAMS", "Patient"]
