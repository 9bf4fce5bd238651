"""What the tokenizers of a training start as: random, another run's, or a pretrained part's."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from modaloom.core.errors import BadRun, BadValue
from modaloom.core.rng import derive
from modaloom.data.atomic_io import digest
from modaloom.loom.config import LoomRunConfig, TokenizerChoice
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value
from modaloom.runs.checkpoint import pack_tensors
from modaloom.runs.config_io import changed
from modaloom.runs.resolve import resolve_run
from modaloom.runs.tokenizers import load_tokenizer, restore_tokenizer, tokenizer_facts
from modaloom.tokenizers import TOKENIZERS, Tokenizer
from modaloom.tokenizers.pretrained import find_pretrained


def groups(
    modality: str, choice: TokenizerChoice, columns: Mapping[str, Iterable[Value]], config: LoomRunConfig
) -> Iterator[tuple[Mapping[str, Tokenizer], dict[str, Any]]]:
    """Groups of streams that share a tokenizer, each with further facts for data.json.

    Raises `BadValue`, `BadRun` or `BadFile` for a start that does not fit.
    """
    limits = config.data.limits_of(modality)
    if choice.source and (part := find_pretrained(Path(choice.source), frozen=choice.frozen)) is not None:
        place = str(Path(choice.source).absolute())
        _check_changes(choice, columns, part.choices)
        options = changed(part.options, choice.changes.items())
        for group in TOKENIZERS[part.kind].fit(MODALITIES[modality], columns, limits, options):
            stream, tokenizer = next(iter(group.items()))
            tokenizer.load_pretrained(Path(place))
            fixed = choice.frozen and not any(p.requires_grad for p in tokenizer.parameters())
            start = {"run": place, "stream": stream, "sha256": _loaded(tokenizer)}
            yield group, {"from": start, "frozen": fixed, "pretrained": True}
    elif choice.source:
        _check_changes(choice, columns)
        for stream in columns:
            tokenizer = _same_kind(load_tokenizer(choice.source, stream), choice, stream)
            start = {"run": str(resolve_run(Path(choice.source)).absolute()), "stream": stream}
            facts = {"from": {**start, "sha256": _digest(tokenizer)}, "frozen": choice.frozen}
            yield {stream: tokenizer}, facts
    else:
        for group in TOKENIZERS[choice.kind].fit(MODALITIES[modality], columns, limits, choice.options):
            yield group, {}


def initial(config: LoomRunConfig, name: str, facts: Mapping[str, Any]) -> Tokenizer:
    """Initial tokenizer: loaded from another run or a pretrained part, or with random weights that depend on
    the seed and the name only. Raises `BadRun` if what it is loaded from has changed since this run began."""
    start = facts.get("from")
    if start and not facts.get("pretrained"):
        tokenizer = load_tokenizer(start["run"], start["stream"])
        _check_same(_digest(tokenizer), start)
        return tokenizer.requires_grad_(not facts["frozen"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(config.seed, "init", name))
        tokenizer = restore_tokenizer(facts)
    if start:
        tokenizer.load_pretrained(Path(start["run"]))
        _check_same(_loaded(tokenizer), start)
    return tokenizer.train(not facts.get("frozen", False))


def _check_changes(choice: TokenizerChoice, streams: Iterable[str], allowed: Collection[str] = ()) -> None:
    """Raise `BadValue` for options that are those of the source."""
    if wrong := [f"tokenizer.{name}" for name in choice.changes if name not in allowed]:
        own = f"streams.{next(iter(streams))}"
        raise BadValue(f"{own} starts as the tokenizer of {choice.source}; leave out {', '.join(wrong)}")


def _check_same(found: str, start: Mapping[str, str]) -> None:
    if found != start["sha256"]:
        raise BadRun(f"the tokenizer of {start['stream']} in {start['run']} has changed since this run began")


def _same_kind(tokenizer: Tokenizer, choice: TokenizerChoice, stream: str) -> Tokenizer:
    """Raise `BadValue` if the tokenizer is not of the chosen kind."""
    found = tokenizer_facts(tokenizer)["kind"]
    if found != choice.kind:
        raise BadValue(f"{choice.source} has a tokenizer of kind {found} for {stream}, not {choice.kind}")
    return tokenizer


def _digest(tokenizer: Tokenizer) -> str:
    return digest(pack_tensors(tokenizer.state_dict()))


def _loaded(tokenizer: Tokenizer) -> str:
    """Digest of what `load_pretrained` loads."""
    state = tokenizer.state_dict()
    return digest(pack_tensors({name: state[name] for name in tokenizer.pretrained_names}))
