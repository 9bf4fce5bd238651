"""Variety against closed forms: answers around their input's mean, with a known share of the variance."""

import pytest
import torch

from modaloom.core.rng import generator
from modaloom.evaluation.variety import MIN_PAIRS, Variety

GROUPS, SIZE, DIM = 40, 10, 20
INPUTS = [i % GROUPS for i in range(GROUPS * SIZE)]
MEANS = 10 * torch.randn(GROUPS, DIM, generator=generator(0))
REAL = MEANS[INPUTS] + torch.randn(len(INPUTS), DIM, generator=generator(1))


def variety(drawn, inputs=INPUTS, real=REAL):
    return {name: estimate.value for name, estimate in Variety(inputs, real).estimates(drawn).items()}


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0, 2.0])
def test_it_is_the_ratio_of_the_variances_within_inputs(spread):
    drawn = MEANS[INPUTS] + spread * torch.randn(len(INPUTS), DIM, generator=generator(2))
    assert variety(drawn)["variety"] == pytest.approx(spread**2, rel=0.1)


def test_the_variance_between_inputs_does_not_count():
    assert variety(100 * MEANS[INPUTS])["variety"] == 0


def test_an_interval_surrounds_it():
    drawn = MEANS[INPUTS] + 0.5 * torch.randn(len(INPUTS), DIM, generator=generator(2))
    estimate = Variety(INPUTS, REAL).estimates(drawn)["variety"]
    interval = estimate.interval(generator(0))
    assert interval.low < 0.25 < interval.high < 0.3


def test_it_needs_equal_inputs_whose_true_values_differ():
    assert variety(REAL, inputs=range(len(REAL))) == {}
    few = [*range(len(REAL) - MIN_PAIRS + 1), *[-1] * (MIN_PAIRS - 1)]
    assert variety(REAL, inputs=few) == {}
    assert variety(REAL, inputs=[*few[:-MIN_PAIRS], *[-1] * MIN_PAIRS]) == {"variety": 1}
    assert variety(REAL, real=MEANS[INPUTS]) == {}
