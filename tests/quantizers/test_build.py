import pytest

from modaloom.core.errors import BadValue
from modaloom.quantizers import VQ, Residual, build


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
        ({"codebook": "grad"}, "unknown codebook 'grad'.*allowed: ema, gradient"),
        ({"commitment": -1}, "commitment is -1"),
        ({"decay": 1.1}, "decay is 1.1"),
        ({"dead": -0.1}, "dead is -0.1"),
        ({"revived": 2}, "revived is 2"),
    ],
)
def test_values_out_of_range_are_named(wrong: dict, says: str) -> None:
    with pytest.raises(BadValue, match=says):
        build(**({"name": "vq", "dim": 4, "size": 8} | wrong))


@pytest.mark.parametrize("stages", [[], [VQ(4, 8), VQ(5, 8)], [VQ(4, 8), VQ(4, 9)]])
def test_residual_needs_stages_that_fit(stages: list[VQ]) -> None:
    with pytest.raises(BadValue, match="all must have the same"):
        Residual(stages)
