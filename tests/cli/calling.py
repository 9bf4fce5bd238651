"""Calls of the command line inside the test's own process."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner, Result

from modaloom.cli import app

SMALL = (
    *("--set", "loom.width=32", "--set", "loom.num_layers=1", "--set", "loom.num_heads=1"),
    *(
        "--set",
        "tokenizers.image.codebook_size=16",
        "--set",
        "tokenizers.image.widths=[8,8,8]",
        "--set",
        "tokenizers.image.latent_dim=8",
    ),
    *("--set", "training.tokenizer.batch_size=8", "--set", "training.loom.batch_size=8"),
    *("--set", "training.precision=fp32", "--set", "loom.sampling.steps=4"),
    *("--set", "training.checkpoint_seconds=0"),
)
"""A training of seconds."""

Call = Callable[..., Result]
Snapshot = dict[str, str]


def call(*words: object) -> Result:
    """Run a command line inside this process."""
    return CliRunner().invoke(app, [str(word) for word in words])


def done(*words: object) -> Result:
    """Run a command line that has to succeed."""
    result = call(*words)
    assert result.exit_code == 0, result.output or repr(result.exception)
    return result


def tree(root: Path) -> Snapshot:
    """Every path under a folder → a digest of what it holds."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(root.rglob("*"))
    }
