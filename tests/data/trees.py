"""Types of the fixture `tree`."""

from collections.abc import Callable, Mapping
from pathlib import Path

Contents = str | bytes | int
Tree = Callable[[Mapping[str, Contents]], Path]
