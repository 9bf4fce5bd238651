"""D14: with the exact denoiser, sampling has the exact conditionals for every given/wanted split.

Several codes that are drawn in one step of an ancestral walk do not look at one another, so the law is exact
only as the steps get short: here the distance is about 0.3 / steps, and up to three times that with steps
back. Samplers that choose their order draw one code a step, and the streams one after the other. One single
step is far off, as it must be; so is any order that looks at the drawn codes, as that of confidence does.
"""

import pytest

from modaloom.bench.conditionals import EXACT, JOINTS, distance, splits

every_exact_pair = pytest.mark.parametrize(("sampler", "process"), EXACT)
FEW = ("www", "gww", "ggw")
"""Of three streams; the other splits take as long and say nearly as much."""
SPLITS = [(joint, split) for joint in JOINTS for split in splits(joint) if "w" in split]


def is_long(joint: str, split: str) -> bool:
    return joint == "streams" and split not in FEW


@pytest.mark.parametrize(
    ("joint", "split"), [pytest.param(*one, marks=[pytest.mark.full] * is_long(*one)) for one in SPLITS]
)
@every_exact_pair
def test_conditionals(sampler: str, process: str, joint: str, split: str) -> None:
    assert distance(sampler, process, joint, split) <= 0.01


def test_an_order_that_looks_at_the_drawn_codes_is_not_exact() -> None:
    """Exact ones are within 0.01. At a choice temperature of 2, the default, the distance is 0.049; it falls
    as the order becomes a random one."""
    assert distance("maskgit", "masked", "positions", "ww") > 0.03


@every_exact_pair
def test_one_step_is_not_exact(sampler: str, process: str) -> None:
    """The test can fail: drawing everything at once loses what the positions say of each other."""
    assert distance(sampler, process, "positions", "ww", steps=1) > 0.05
