"""Grids of times. Oracles: the published formulas by hand, and the law that quantiles must have."""

import math

import pytest
import torch
from normal_data import WALKED

from modaloom.core.errors import BadValue
from modaloom.diffusion.samplers.continuous.timestep_spacing import (
    TIMESTEP_SPACINGS,
    karras,
    log_normal,
    logit,
)

every_process = pytest.mark.parametrize("name", WALKED)


@every_process
@pytest.mark.parametrize("spacing", TIMESTEP_SPACINGS)
@pytest.mark.parametrize("steps", [1, 2, 9])
def test_grids_fall_from_noise_to_0(name: str, spacing: str, steps: int) -> None:
    times = TIMESTEP_SPACINGS[spacing](WALKED[name], steps)
    assert len(times) == steps + 1
    assert (times.diff() < 0).all()
    assert times[-1] == 0
    assert times[0] <= 1
    assert WALKED[name].at(times[:1]).ratio >= 80 - 1e-6


@pytest.mark.parametrize("spacing", TIMESTEP_SPACINGS)
def test_no_steps_are_refused(spacing: str) -> None:
    with pytest.raises(BadValue, match="steps is 0; it must be at least 1"):
        TIMESTEP_SPACINGS[spacing](WALKED["flow"], 0)


@every_process
def test_karras_levels_are_those_of_the_paper(name: str) -> None:
    """(80^⅐ + i/4·(0.002^⅐ − 80^⅐))⁷ for i = 0 … 4."""
    process, (first, last) = WALKED[name], (80 ** (1 / 7), 0.002 ** (1 / 7))
    expected = torch.tensor([(first + i / 4 * (last - first)) ** 7 for i in range(5)], dtype=torch.float64)
    torch.testing.assert_close(process.at(karras(process, 5)[:-1]).ratio, expected)


@every_process
def test_logit_grids_are_quantiles_of_the_noise(name: str) -> None:
    """Of ln(σ/a) ~ N(−0.4, 1.3²): half of the steps on each side of −0.4, one in six beyond a deviation."""
    ratio = WALKED[name].at(logit(WALKED[name], 1000, mean=-0.4, scale=1.3)[1:-1]).ratio.log()
    for deviations, share in ((-1, 0.158655), (0, 0.5), (1, 0.841345)):
        assert float((ratio < -0.4 + 1.3 * deviations).double().mean()) == pytest.approx(share, abs=0.002)


def test_with_flow_times_are_logit_normal() -> None:
    quantile = torch.tensor([0.1, 0.5, 0.8], dtype=torch.float64)
    times = log_normal(WALKED["flow"], quantile, mean=0.3, scale=0.7)
    torch.testing.assert_close(torch.special.ndtr((times.logit() - 0.3) / 0.7), quantile)


@pytest.mark.parametrize("wrong", [{"low": 0.0}, {"low": 3.0, "high": 2.0}, {"rho": 0.0}, {"rho": -math.pi}])
def test_impossible_levels_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadValue, match="it must be"):
        karras(WALKED["flow"], 3, **wrong)
