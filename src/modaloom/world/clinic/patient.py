"""An invented patient: a hidden state, and facts that depend on that state alone, each by itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from modaloom.core.errors import BadValue
from modaloom.core.rng import derive
from modaloom.world.scene import SIDE

Bits = Mapping[str, int]
"""Part of a hidden state → 0 or 1."""
LIKELY: Mapping[str, float] = {"disease": 0.4, "severe": 0.5, "genotype": 0.5, "rhythm": 0.5}
"""Part of the hidden state → its probability of 1; they are independent."""
STATES: tuple[Bits, ...] = tuple(dict(zip(LIKELY, bits)) for bits in product((0, 1), repeat=len(LIKELY)))
PRIOR: NDArray[np.float64] = np.array(
    [np.prod([LIKELY[name] if bit else 1 - LIKELY[name] for name, bit in state.items()]) for state in STATES]
)
"""(16,)."""
LEVELS = 12
"""Values of a measurement."""


def _grade(state: Bits, healthy: float, mild: float, severe: float) -> float:
    return (healthy, mild, severe)[state["disease"] * (1 + state["severe"])]


def _coin(values: tuple[str, str], of: Callable[[Bits], float]) -> "Fact":
    """A fact of two values, of which the second has this probability in a state."""
    return Fact(values, np.array([[1 - of(state), of(state)] for state in STATES]))


def _parity(state: Bits, part: str, p: float) -> float:
    """p where a part of the state differs from the disease, else 1 − p."""
    return p if state[part] != state["disease"] else 1 - p


def _measured(mean: Callable[[Bits], float], std: float) -> "Fact":
    """A measurement: the levels of a normal distribution, by its density."""
    levels = np.arange(LEVELS)
    weights = np.exp(-0.5 * ((levels - np.array([[mean(state)] for state in STATES])) / std) ** 2)
    return Fact(tuple(map(str, levels)), weights / weights.sum(1, keepdims=True))


@dataclass(frozen=True)
class Fact:
    """What can be seen of a patient."""

    values: tuple[str, ...]
    given: NDArray[np.float64]
    """(16, values): P(value | state)."""


def _allele(i: int, state: Bits) -> float:
    """P(the rare letter): four places tell the genotype, two the disease, six nothing."""
    if i < 4:
        return 0.85 if state["genotype"] else 0.15
    return _grade(state, 0.25, 0.5, 0.5) if i < 6 else 0.3


FACTS: Mapping[str, Fact] = {
    "disease": _coin(("no", "yes"), lambda s: float(s["disease"])),
    "lesion": _coin(("disc", "ring"), lambda s: _parity(s, "genotype", _grade(s, 0.8, 0.8, 0.95))),
    "extent": _coin(("small", "large"), lambda s: _grade(s, 0.3, 0.5, 0.7)),
    "crp": _measured(lambda s: _grade(s, 3.5, 5.0, 6.5), 1.8),
    "iron": _measured(lambda s: 7.5 if s["rhythm"] else 3.5, 1.6),
    "urea": _measured(lambda s: _grade(s, 6.0, 5.0, 5.0), 2.0),
    "sodium": _measured(lambda s: 5.5, 2.0),
    "calcium": _measured(lambda s: 5.5, 2.0),
    "age": _measured(lambda s: 5.5, 4.0),
    "sex": _coin(("f", "m"), lambda s: 0.5),
    **{f"snp{i}": _coin(("common", "rare"), lambda s, i=i: _allele(i, s)) for i in range(12)},  # type: ignore[misc]
    "fever": _coin(("no", "yes"), lambda s: _grade(s, 0.25, 0.4, 0.6)),
    "worse": _coin(("morning", "evening"), lambda s: _parity(s, "rhythm", 0.85)),
}
"""Name → values and their probabilities. Given the state, all facts are independent."""


@dataclass(frozen=True)
class Patient:
    """One patient: the facts, and the seed of everything that is none."""

    known: Mapping[str, str]
    nuisance: int = 0
    side: int = SIDE
    """Side of the scan, pixels."""

    @property
    def facts(self) -> dict[str, str]:
        """Fact → value, and what this is."""
        return {**self.known, "synthetic": "invented patient, not for clinical use"}

    def random(self, purpose: str) -> np.random.Generator:
        """A new generator for one purpose."""
        return np.random.default_rng(derive(self.nuisance, purpose))


def patient(seed: int, split: str, index: int, fixed: Mapping[str, str]) -> Patient:
    """Patient `index` of a split. All splits have one distribution."""
    rng = np.random.default_rng(derive(seed, "clinic", split, index))
    state = rng.choice(len(STATES), p=PRIOR)
    known = {name: str(rng.choice(fact.values, p=fact.given[state])) for name, fact in FACTS.items()}
    return Patient(known, derive(seed, "clinic", split, index, "nuisance"))


def check_fixed(fixed: Mapping[str, str]) -> None:
    """Raises `BadValue` for any factor."""
    if fixed:
        raise BadValue(f"the clinic fixes no factors ({', '.join(fixed)}); leave them out")
