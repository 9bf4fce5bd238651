"""Resolution of run names to folders, including bundled runs."""

from pathlib import Path

from modaloom.runs.store import CONFIG

ROOT = Path(__file__).parents[1] / "bundled"


def resolve_run(run: Path) -> Path:
    """The folder itself, or the bundled run of that name if there is no such folder."""
    bundled = ROOT / run.name
    alone = run == Path(run.name)
    return bundled if alone and not run.exists() and (bundled / CONFIG).is_file() else run
