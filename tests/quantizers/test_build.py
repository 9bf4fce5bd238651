import pytest

from modaloom.core.errors import BadValue
from modaloom.quantizers import (
    VQ,
    Adaptive,
    Grouped,
    GrowthConfig,
    Normalized,
    Projected,
    Quantizer,
    QuantizerConfig,
    Residual,
    build,
)


def test_one_stage_is_not_wrapped_and_several_are() -> None:
    assert isinstance(build("vq", 4, 8), VQ)
    deep = build("vq", 4, 8, 3, codebook="gradient", commitment=0.25)
    assert isinstance(deep, Residual)
    assert len(list(deep.parameters())) == 3


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": "vqq"}, "did you mean 'vq'"),
        ({"depth": 0}, "depth is 0"),
        ({"size": 0}, "size is 0"),
        ({"dim": 0}, "dim is 0"),
        ({"codebook": "grad"}, "unknown codebook 'grad'.*allowed: ema, gradient, sim, sphere"),
        ({"commitment": -1}, "commitment is -1"),
        ({"decay": 1.1}, "decay is 1.1"),
        ({"dead_code_threshold": -0.1}, "dead_code_threshold is -0.1"),
        ({"max_restart_fraction": 2}, "max_restart_fraction is 2"),
        ({"dropout": 1.5}, r"dropout is 1\.5"),
        ({"groups": 0}, "groups is 0"),
        ({"temperature": 0}, "temperature is 0"),
        ({"gradient_estimator": "rotate"}, "did you mean 'rotation'"),
        ({"codebok": "ema"}, "unknown option 'codebok'.*did you mean 'codebook'"),
        ({"name": "fsq", "codebook": "sim"}, "this quantizer has no codebook; it has .*levels"),
        ({"levels": (2, 4)}, "this quantizer has no levels"),
    ],
)
def test_values_out_of_range_are_named(wrong: dict, says: str) -> None:
    with pytest.raises(BadValue, match=says):
        build(**({"name": "vq", "dim": 4, "size": 8} | wrong))


@pytest.mark.parametrize(
    "stages", [[], [build("vq", 4, 8), build("vq", 5, 8)], [build("vq", 4, 8), build("vq", 4, 9)]]
)
def test_residual_needs_stages_that_fit(stages: list[Quantizer]) -> None:
    with pytest.raises(BadValue, match="all must be the same"):
        Residual(stages)


def test_what_stands_around_it_follows_from_the_options() -> None:
    assert isinstance(build("vq", 4, 8, dropout=0.5), VQ)
    grouped = build("vq", 4, 8, 3, groups=2, adaptive_distortion=0.1, codebook_dim=1, normalize=True)
    kinds = [Grouped, Adaptive, Residual, Projected, Normalized, VQ]
    found = [module for module in grouped.modules() if isinstance(module, Quantizer)]
    assert [type(module) for module in found[: len(kinds)]] == kinds
    assert {type(module) for module in found} == {*kinds}


def test_nothing_is_changed_at_the_defaults() -> None:
    assert QuantizerConfig().changed() == set()
    assert QuantizerConfig(codebook="sim", growth=GrowthConfig(initial_codes=4)).changed() == {
        "codebook",
        "growth",
    }
