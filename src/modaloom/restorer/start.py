"""A training that starts from another run: its network, normalizer and linear filters."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from modaloom.core.errors import BadRun
from modaloom.restorer.config import RestorerRunConfig
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.files import RESTORER, Restoration, RestorerPlan, unpack_restorer
from modaloom.runs.model import Part, load_model
from modaloom.runs.resolve import resolve_run
from modaloom.runs.store import RunFolder, read_config


def restorer_parts(run: str) -> Mapping[str, Part]:
    """The model parts of a finished Restorer run. Raises `BadRun`, also for a run of another engine."""
    path, own = resolve_run(Path(run)), RestorerRunConfig().engine
    if (engine := read_config(path).get("engine")) != own:
        raise BadRun(f"{run} is a run of the {engine}; a {own} starts from another {own}, of the same task")
    return load_model(RunFolder.open(path, RestorerRunConfig).model).parts


def check_task(run: str, task: str) -> None:
    """Raises `BadRun` unless a run is a finished one of the task."""
    learned = unpack_restorer(restorer_parts(run)).plan.task
    if learned != task:
        raise BadRun(
            f"{run} has learned {learned}, and is no start for {task}; take --task {learned}, or another run"
        )


def started(own: Restoration, run: str, examples: Iterable[ConditionalExample]) -> Restoration:
    """Copies a run's weights and normalizer into a Restorer, and returns it with the run's linear filters.

    Before its first step it is that run: what the network has learned is what those filters leave. Filters
    are fitted anew if the task has other options, such as a scale factor, which they depend on.

    Args:
        own: has its initial weights, and no filters.
        run: a finished Restorer run of the same task and channels.
        examples: training examples, made without filters.

    Raises:
        BadRun: the run does not fit.
    """
    parts = restorer_parts(run)
    source = unpack_restorer(parts)
    if _shape(source.plan) != _shape(own.plan):
        raise BadRun(
            f"{run} has learned {_described(source.plan)}, and is no start for {_described(own.plan)}; "
            "give it data of that kind, or leave --from out"
        )
    try:
        own.restorer.load_state_dict(dict(parts[RESTORER].tensors))
    except RuntimeError as error:
        raise BadRun(f"the network of {run} has another size; leave its settings as they are") from error
    if source.options != own.options:
        return own.with_filters(examples)
    return replace(own, filters=source.filters)


def _shape(plan: RestorerPlan) -> tuple[object, ...]:
    return plan.task, plan.axes, plan.channels, plan.condition, plan.features


def _described(plan: RestorerPlan) -> str:
    return f"{plan.task} of {plan.channels} channels of {plan.modality}"
