"""Runs that are bundled with modaloom, found by name where no folder has it."""

from pathlib import Path

from modaloom.runs.store import CONFIG

ROOT = Path(__file__).parents[1] / "bundled"


def resolve_run(run: Path) -> Path:
    """The folder itself; where there is none, the bundled run of that name."""
    bundled = ROOT / run.name
    alone = run == Path(run.name)
    return bundled if alone and not run.exists() and (bundled / CONFIG).is_file() else run
