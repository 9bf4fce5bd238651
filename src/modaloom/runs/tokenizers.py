"""Serialization of tokenizers, and loading them from other runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadRun, check_choice
from modaloom.runs.model import Part, load_model, with_tensors
from modaloom.runs.resolve import resolve_run
from modaloom.runs.store import RunFiles, read_config
from modaloom.tokenizers import TOKENIZERS, Tokenizer


def tokenizer_facts(tokenizer: Tokenizer) -> dict[str, Any]:
    """JSON-serializable facts from which `restore_tokenizer` rebuilds the tokenizer, without tensors."""
    kind = next(name for name, kind in TOKENIZERS.items() if type(tokenizer) is kind)
    return {"kind": kind, "state": tokenizer.state()}


def restore_tokenizer(facts: Mapping[str, Any]) -> Tokenizer:
    """Rebuild a tokenizer, without its tensors. Raises `BadRun` for an unknown kind."""
    kind = TOKENIZERS.get(facts["kind"])
    if kind is None:
        raise BadRun(f"a tokenizer of kind {facts['kind']!r}; this modaloom has {', '.join(TOKENIZERS)}")
    return kind.restore(facts["state"])


def unpack_tokenizer(part: Part) -> Tokenizer:
    """Rebuild a tokenizer with its tensors. Raises `BadRun`, and the errors of `load_state_dict`."""
    return with_tensors(lambda: restore_tokenizer(part.state), part.tensors)


def modality_of(run: str, stream: str) -> str:
    """The name of the modality of a run's stream. Raises `BadRun` and `BadValue`."""
    return str(_plan(resolve_run(Path(run)), stream)["modality"])


def _plan(path: Path, stream: str) -> Mapping[str, Any]:
    read_config(path)
    plans = RunFiles(path).data()["streams"]
    plan: Mapping[str, Any] = plans[check_choice(f"stream of {path}", stream, plans)]
    return plan


def load_tokenizer(run: str, stream: str) -> Tokenizer:
    """Load the tokenizer of a stream from a finished run, in eval mode, without gradients.

    Raises `BadRun` if the run is unfinished or has no tokenizer for the stream, `BadValue` for an unknown
    stream.
    """
    path = resolve_run(Path(run))
    files = RunFiles(path)
    plan, parts = _plan(path, stream), load_model(files.model).parts
    part = parts.get(plan.get("tokenizer", ""))
    if part is None:
        raise BadRun(f"{path} has no tokenizer of {stream}; name a run that was trained without --task")
    try:
        tokenizer = unpack_tokenizer(part).view(plan["grid"])
    except (LookupError, TypeError, RuntimeError, ValueError) as error:
        raise BadRun(f"the tokenizer of {stream} in {path} is not one of this version ({error})") from error
    return tokenizer.eval().requires_grad_(False)
