"""Runs that come with modaloom, found by name where no folder has it."""

from pathlib import Path

from modaloom.runs.store import CONFIG

ROOT = Path(__file__).parents[1] / "shipped"


def resolve_run(run: Path) -> Path:
    """The folder itself; where there is none, the shipped run of that name."""
    shipped = ROOT / run.name
    alone = run == Path(run.name)
    return shipped if alone and not run.exists() and (shipped / CONFIG).is_file() else run
