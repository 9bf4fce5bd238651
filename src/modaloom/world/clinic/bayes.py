"""The best that can be known of a patient: exact posteriors, and the scores of the best diagnosis.

Facts are independent given the hidden state, so that a posterior is a sum over 16 states (Bayes' theorem),
and the scores are sums over all values of the facts of some streams.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from modaloom.world.clinic import FACTS_OF
from modaloom.world.clinic.patient import FACTS, PRIOR, STATES

ILL: NDArray[np.bool_] = np.array([state["disease"] == 1 for state in STATES])


@dataclass(frozen=True)
class BestScores:
    """Scores of the diagnosis by the exact posterior, over all patients there can be."""

    accuracy: float
    auroc: float
    """Probability that an ill patient has the higher posterior than a healthy one; ties count half."""
    brier: float
    """Mean squared difference of the posterior and the truth (1 or 0)."""


def states_given(facts: Mapping[str, str]) -> NDArray[np.float64]:
    """P(state | facts), (16,)."""
    joint = PRIOR.copy()
    for name, value in facts.items():
        joint *= FACTS[name].given[:, FACTS[name].values.index(value)]
    found: NDArray[np.float64] = joint / joint.sum()
    return found


def posterior(facts: Mapping[str, str]) -> float:
    """P(disease | facts)."""
    return float(states_given(facts)[ILL].sum())


def predictive(name: str, facts: Mapping[str, str]) -> NDArray[np.float64]:
    """P(value of a fact | other facts), in the order of its values."""
    found: NDArray[np.float64] = states_given(facts) @ FACTS[name].given
    return found


@cache
def best_scores(streams: tuple[str, ...]) -> BestScores:
    """Of the diagnosis from all facts of some streams."""
    names = [name for stream in streams for name in FACTS_OF[stream] if _tells(name)]
    healthy, ill = (_joint(names, np.equal(ILL, truth)).sum(0) for truth in (False, True))
    total = healthy + ill
    belief = ill / total
    order = np.argsort(belief)
    _, place = np.unique(np.round(belief[order], 12), return_inverse=True)
    low, high = (np.bincount(place, part[order]) for part in (healthy, ill))
    below = low.cumsum() - low
    return BestScores(
        accuracy=float(np.maximum(healthy, ill).sum()),
        auroc=float((high * (below + low / 2)).sum() / (healthy.sum() * ill.sum())),
        brier=float((total * belief * (1 - belief)).sum()),
    )


def _tells(name: str) -> bool:
    """Whether a fact depends on the state."""
    given = FACTS[name].given
    return not np.allclose(given, given[0])


def _joint(names: Collection[str], states: NDArray[np.bool_]) -> NDArray[np.float64]:
    """P(state, values), (states, product of the numbers of values)."""
    joint = PRIOR[states, None]
    for name in names:
        joint = (joint[:, :, None] * FACTS[name].given[states][:, None]).reshape(len(joint), -1)
    return joint
