"""Folders of files to order."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image
from trees import Contents, Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Relative path → text, bytes, or the side of a red picture; returns the folder."""

    def make(files: Mapping[str, Contents]) -> Path:
        root = tmp_path / "data"
        root.mkdir(exist_ok=True)
        for name, contents in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(contents, int):
                Image.new("RGB", (contents, contents), "red").save(path)
            else:
                path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        return root

    return make
