"""YAML that any reader reads back; the oracle is PyYAML, with which huggingface_hub reads cards."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modaloom.core.yaml_text import to_yaml

yaml = pytest.importorskip("yaml")

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
) | st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text("abyes- :#", min_size=1)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner))


@given(values)
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert yaml.safe_load(to_yaml(value)) == value


def test_blocks_and_plain_words() -> None:
    card = {"library_name": "modaloom", "tags": ["any-to-any", "no"], "args": {"low": 1e-05, "none": []}}
    assert to_yaml(card) == (
        '\nlibrary_name: modaloom\ntags:\n  - any-to-any\n  - "no"\nargs:\n  low: 1.0e-05\n  none: []'
    )
