"""What a folder can be judged by: the world's facts where it keeps them."""

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
    """The world's where the folder keeps the facts of all these samples, else that of any data, which
    compares in the forms `specs` that the model has learned."""
    facts = read_facts(folder / FACTS) if (folder / FACTS).is_file() else {}
    keys = {sample.key for samples in (train, *tests.values()) for sample in samples}
    if keys <= facts.keys() and modality_of.keys() <= world_of(facts.values()).streams.keys():
        return ParsedJudge(facts)
    return PlainJudge.fit(train, modality_of, specs)


def exact_of(folder: Path, split: str) -> Exact:
    """The mutual information of two streams over a split of the world of one object; None for all else."""
    facts = list(read_facts(folder / FACTS).values()) if (folder / FACTS).is_file() else []
    if not facts or split not in SPLITS or world_of(facts) is not SOLO:
        return lambda one, other: None
    fixed = fixed_facts(facts)
    return lambda one, other: (
        exact_mutual_information(one, other, split=split, fixed=fixed)
        if {one, other} <= SOLO.streams.keys()
        else None
    )
