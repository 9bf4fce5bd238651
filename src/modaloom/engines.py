"""Registry of engines. A new engine is a class and an entry here; no other code branches on the engine."""

from pathlib import Path
from typing import Any

from modaloom.core.defaults import PRESET
from modaloom.core.errors import BadRun, BadValue, check_choice
from modaloom.engine import Engine
from modaloom.loom.engine import LoomEngine
from modaloom.restorer.engine import RestorerEngine
from modaloom.runs.config import RunConfig, merge, read_config_file
from modaloom.runs.config_io import from_plain, to_plain
from modaloom.runs.resolve import resolve_run
from modaloom.runs.store import CONFIG, read_config

ENGINES: dict[str, Engine[Any, Any]] = {"loom": LoomEngine(), "restorer": RestorerEngine()}
"""`RunConfig.engine` → engine. The first one is trained if no task is given."""


def engine_of_run(run: Path) -> Engine[Any, Any]:
    """Returns the engine of a run folder, or of a bundled run's name. Raises `BadRun`."""
    path = resolve_run(run)
    name = read_config(path).get("engine")
    if name not in ENGINES:
        raise BadRun(f"{path / CONFIG} names the engine {name!r}; this modaloom has {', '.join(ENGINES)}")
    return ENGINES[name]


def engine_of_task(task: str) -> Engine[Any, Any]:
    """Returns the engine that has the task; the first one for an empty task. Raises `BadValue`."""
    if not task:
        return next(iter(ENGINES.values()))
    tasks = {name: engine for engine in ENGINES.values() for name in engine.tasks}
    return tasks[check_choice("task", task, tasks)]


def preset(name: str, *, task: str = "") -> RunConfig:
    """Returns a preset's complete configuration. Raises `BadValue` for an unknown preset or task.

    "auto" is the engine's first preset; `Engine.choose` may find a larger one for the data.
    """
    presets = engine_of_task(task).presets
    chosen = check_choice("preset", name, (PRESET, *presets))
    return presets[chosen if chosen in presets else next(iter(presets))]()


def load_config(path: Path, *, task: str = "") -> RunConfig:
    """Reads a complete configuration from a TOML or JSON file; missing keys take their defaults.

    Raises `BadFile` and `BadValue`.
    """
    plain = read_config_file(path)
    default = engine_of_task(task).config().engine
    engine = ENGINES[check_choice("engine", str(plain.get("engine", default)), ENGINES)]
    try:
        return from_plain(engine.config, merge(to_plain(engine.config()), plain))
    except BadValue as error:
        raise BadValue(f"{path}: {error}") from error
