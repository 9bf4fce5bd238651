"""Which judge a folder gets."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from modaloom.core.types import Sample
from modaloom.evaluation.judge import Judge
from modaloom.evaluation.parsed import ParsedJudge, read_facts
from modaloom.evaluation.plain import PlainJudge
from modaloom.world.worlds import world_of
from modaloom.world.write import FACTS


def judge_of(
    folder: Path,
    train: Sequence[Sample],
    tests: Mapping[str, Sequence[Sample]],
    modality_of: Mapping[str, str],
) -> Judge:
    """The world's where the folder keeps the facts of all these samples, else that of any data."""
    facts = read_facts(folder / FACTS) if (folder / FACTS).is_file() else {}
    keys = {sample.key for samples in (train, *tests.values()) for sample in samples}
    if keys <= facts.keys() and modality_of.keys() <= world_of(facts.values()).streams.keys():
        return ParsedJudge(facts)
    return PlainJudge.fit(train, modality_of)
