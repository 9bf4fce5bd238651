"""Plain values as YAML, for the front matter of model cards."""

import re
from collections.abc import Mapping
from typing import Any

from modaloom.core.json_text import to_json

_HIDDEN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Characters that JSON may hold as they are and YAML may not."""


def to_yaml(value: Any, indent: str = "") -> str:
    """A JSON-able value in YAML 1.1: blocks of mappings and lists, of which scalars are JSON's."""
    if isinstance(value, Mapping) and value:
        return "".join(f"\n{indent}{_scalar(key)}:{_after(one, indent)}" for key, one in value.items())
    if isinstance(value, list | tuple) and value:
        return "".join(f"\n{indent}-{_after(one, indent)}" for one in value)
    return f" {_scalar(value)}"


def _after(value: Any, indent: str) -> str:
    return to_yaml(value, indent + "  ")


def _scalar(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"[a-z][a-z_-]*[a-z]", value) and value not in _WORDS:
        return value
    if isinstance(value, float) and "e" in repr(value) and "." not in repr(value):
        return repr(value).replace("e", ".0e")  # YAML 1.1 takes 1e-05 for a word
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", to_json(value))


_WORDS = {"yes", "no", "on", "off", "true", "false", "null"}
"""Words that are no strings in YAML 1.1."""
