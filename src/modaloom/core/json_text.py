"""The one way in which JSON is written and read: the standard (RFC 8259), whatever a file holds."""

import json
import math
from typing import Any


def to_json(value: Any, *, indent: int | None = None) -> str:
    """A JSON-able value as text, not escaped to ASCII; NaN and infinities, which JSON lacks, as null."""
    return json.dumps(_finite(value), ensure_ascii=False, indent=indent, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value


def from_json(text: str | bytes) -> Any:
    """JSON → plain values. Raises `ValueError` for everything else, such as nesting without an end."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
