"""Evaluation of models against baselines that need no generative model. Rows are computed one by one."""

from modaloom.evaluation.choice import judge_of
from modaloom.evaluation.diagnosis import Diagnosis, diagnose
from modaloom.evaluation.directions import all_directions, named_directions
from modaloom.evaluation.estimate import Estimate, Interval, Minimum, Proportion, Statistic, average
from modaloom.evaluation.headline import headlines, no_better, sentence
from modaloom.evaluation.judge import Judge
from modaloom.evaluation.overfitting import overfitting
from modaloom.evaluation.parsed import ParsedJudge, read_facts
from modaloom.evaluation.plain import PlainJudge
from modaloom.evaluation.rows import Direction, ScoreRow

__all__ = [
    "Diagnosis",
    "Direction",
    "Estimate",
    "Interval",
    "Judge",
    "Minimum",
    "ParsedJudge",
    "PlainJudge",
    "Proportion",
    "ScoreRow",
    "Statistic",
    "all_directions",
    "average",
    "diagnose",
    "headlines",
    "judge_of",
    "named_directions",
    "no_better",
    "overfitting",
    "read_facts",
    "sentence",
]
