"""The one way in which JSON is written for others: what any reader of the standard (RFC 8259) takes."""

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
