"""Serialize trees of frozen dataclasses; errors name the key and suggest the closest valid one."""

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from modaloom.core.errors import BadValue, check_choice, short
from modaloom.core.json_text import from_json
from modaloom.core.renamed import RENAMED

T = TypeVar("T")


def _field_types(cls: Any) -> dict[str, Any]:
    """Field of a dataclass → type."""
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


_types: Callable[[Any], dict[str, Any]] = cache(_field_types)
_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def to_plain(tree: Any) -> dict[str, Any]:
    """Convert a tree to JSON-serializable dicts, lists and scalars."""
    plain: dict[str, Any] = _adapter(type(tree)).dump_python(tree, mode="json")
    return plain


def from_plain(cls: type[T], plain: Mapping[str, Any]) -> T:
    """The inverse of `to_plain`; absent keys take their defaults.

    Raises `BadValue` for unknown keys, wrong types (only int is coerced, to float) and values that a
    dataclass's own checks reject.
    """
    _check_keys(cls, plain, "")
    try:
        tree: T = _adapter(cls).validate_json(json.dumps(plain), strict=True)
    except ValidationError as error:
        raise BadValue(_explain(error)) from error
    return tree


def override(tree: T, settings: Sequence[str]) -> T:
    """A copy with `settings` such as "loom.num_layers=6" applied, in order. Raises `BadValue`."""
    return changed(tree, map(assignment, settings))


def changed(tree: T, values: Iterable[tuple[str, Any]]) -> T:
    """A copy with values at dotted keys, in order. Raises `BadValue`."""
    plain = to_plain(tree)
    for path, value in values:
        _place(type(tree), plain, path, value, "")
    return from_plain(type(tree), plain)


def assignment(setting: str) -> tuple[str, Any]:
    """`KEY=VALUE` → dotted key and value. Raises `BadValue`."""
    path, equals, text = setting.partition("=")
    if not equals:
        raise BadValue(f"{short(setting)} sets nothing; write KEY=VALUE, as in loom.num_layers=6")
    return path.strip(), literal(text.strip())


def differences(one: Any, other: Any) -> dict[str, tuple[Any, Any]]:
    """Dotted key → both values, where two trees of one class differ; None for one that
    a tree lacks."""
    return dict(_differences(to_plain(one), to_plain(other), ""))


def _differences(one: Any, other: Any, key: str) -> Iterator[tuple[str, tuple[Any, Any]]]:
    if isinstance(one, dict) or isinstance(other, dict):
        one, other = one or {}, other or {}
        for name in dict.fromkeys([*one, *other]):
            yield from _differences(one.get(name), other.get(name), f"{key}.{name}" if key else name)
    elif one != other:
        yield key, (one, other)


def literal(text: str) -> Any:
    """Parse a JSON or TOML literal; any other text is returned as a string."""
    try:
        return from_json(text)
    except ValueError:
        pass
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _place(hint: Any, plain: dict[str, Any], path: str, value: Any, prefix: str) -> None:
    """Set the value at a dotted path in `plain`, whose type is `hint`."""
    name, _, rest = path.partition(".")
    inner = _known(hint, name, prefix)
    if not rest:
        plain[name] = value
    elif not _has_keys(inner):
        raise BadValue(f"{prefix}{name} is a single value; it has no {rest!r}")
    elif get_origin(inner) is dict and not _has_keys(_value_type(inner)):  # its keys may contain dots
        plain[name] = {**plain.get(name, {}), rest: value}
    else:
        _place(inner, plain.setdefault(name, {}), rest, value, f"{prefix}{name}.")


def _has_keys(hint: Any) -> bool:
    return is_dataclass(hint) or get_origin(hint) is dict


def _value_type(hint: Any) -> Any:
    """Value type of a dictionary type; None for any other type."""
    return get_args(hint)[1] if get_origin(hint) is dict else None


def _check_keys(cls: Any, plain: Any, prefix: str) -> None:
    for name, value in plain.items() if isinstance(plain, Mapping) else ():
        hint = _known(cls, name, prefix)
        if _has_keys(hint):
            _check_keys(hint, value, f"{prefix}{name}.")


def _known(hint: Any, name: str, prefix: str) -> Any:
    """Type of a dataclass field or of a dictionary's values.

    Raises `BadValue` for an unknown field, with the closest valid name, and for an old name.
    """
    if not is_dataclass(hint):
        if new := RENAMED.get(prefix + name):
            raise BadValue(f"setting {prefix + name!r} is now called {new!r}")
        return _value_type(hint)
    types = _types(hint)
    check_choice("setting", prefix + name, (prefix + field for field in types))
    return types[name]


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"]))
    own = first.get("ctx", {}).get("error")
    if isinstance(own, BadValue):
        return f"{key}: {own}" if key else str(own)
    reason = f"{first['msg'][0].lower()}{first['msg'][1:]}"
    return f"{key or 'the configuration'} is {short(first['input'])}: {reason}"
