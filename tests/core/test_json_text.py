"""JSON that any reader takes."""

import json
import math

import pytest

from modaloom.core.json_text import to_json


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_json_lacks_is_null_wherever_it_stands(number: float) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    text = to_json({"rows": [{"value": number, "low": 1.5}], "pair": (number, 2)})
    assert json.loads(text, parse_constant=refuse) == {
        "rows": [{"value": None, "low": 1.5}],
        "pair": [None, 2],
    }


def test_all_else_is_as_json_writes_it() -> None:
    value = {"日": [True, None, 0.1, "“x”"], "n": 3}
    assert to_json(value) == json.dumps(value, ensure_ascii=False)
    assert to_json(value, indent=1) == json.dumps(value, ensure_ascii=False, indent=1)
    with pytest.raises(TypeError):
        to_json({"x": object()})
