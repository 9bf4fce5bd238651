"""Selects the judge of a folder: by the world's facts if it has them, else by comparison with the truth."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from modaloom.core.types import Sample
from modaloom.evaluation.judge import Judge
from modaloom.evaluation.mutual_information import Exact
from modaloom.evaluation.parsed import ParsedJudge, read_facts
from modaloom.evaluation.plain import PlainJudge
from modaloom.modalities.base import DataSpec
from modaloom.world.information import exact_mutual_information, fixed_facts
from modaloom.world.splits import SPLITS
from modaloom.world.worlds import SOLO, world_of
from modaloom.world.write import FACTS


def judge_of(
    folder: Path,
    train: Sequence[Sample],
    tests: Mapping[str, Sequence[Sample]],
    modality_of: Mapping[str, str],
    specs: Mapping[str, DataSpec],
) -> Judge:
    """Returns a `ParsedJudge` if the folder has the world's facts of all samples, and all streams can be
    parsed, else a `PlainJudge`.

    Args:
        folder: the data.
        train: training samples.
        tests: split → held-out samples.
        modality_of: stream → modality.
        specs: stream → spec, in which values are compared.
    """
    facts = read_facts(folder / FACTS) if (folder / FACTS).is_file() else {}
    keys = {sample.key for samples in (train, *tests.values()) for sample in samples}
    if keys <= facts.keys() and modality_of.keys() <= world_of(facts.values()).parsers.keys():
        return ParsedJudge(facts)
    return PlainJudge.fit(train, modality_of, specs)


def exact_of(folder: Path, split: str) -> Exact:
    """Returns the exact mutual information of two streams, by stream names; None except for splits of the
    single-object world."""
    facts = list(read_facts(folder / FACTS).values()) if (folder / FACTS).is_file() else []
    if not facts or split not in SPLITS or world_of(facts) is not SOLO:
        return lambda one, other: None
    fixed = fixed_facts(facts)
    return lambda one, other: (
        exact_mutual_information(one, other, split=split, fixed=fixed)
        if {one, other} <= SOLO.streams.keys()
        else None
    )
