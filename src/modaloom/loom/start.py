"""A training that starts from another run: its tokenizers, and what fits of its Loom's weights."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from modaloom.core.errors import BadRun
from modaloom.loom.config import FROM, FROZEN, KIND, LoomRunConfig, flat
from modaloom.loom.loom import Loom
from modaloom.loom.model import Stream
from modaloom.loom.run import load
from modaloom.runs.tokenizers import tokenizer_facts

EMBEDDINGS = "network.code_embed."
"""Prefix of the weights that belong to a tokenizer; those of a stream, and of all, keep their names."""


def with_tokenizers(config: LoomRunConfig, run: str, streams: Collection[str]) -> LoomRunConfig:
    """Streams that a run has, too, take its tokenizers as they are, unless settings say otherwise.

    Args:
        config: the configuration.
        run: a finished run of a Loom.
        streams: those of the data.

    Raises:
        BadRun: no finished run of a Loom, or one without any of the streams.
    """
    known = load(run, device="cpu").model.streams
    shared = [name for name in streams if name in known]
    if not shared:
        raise BadRun(f"{run} has no stream of the data ({', '.join(streams)}), only {', '.join(known)}")
    place = str(Path(run).absolute())
    kinds = {name: str(tokenizer_facts(known[name].tokenizer)["kind"]) for name in shared}
    taken = {
        name: {KIND: kinds[name], FROM: place, FROZEN: True, **flat(config.streams.get(name, {}))}
        for name in shared
    }
    return replace(config, streams={**config.streams, **taken})


def with_weights(config: LoomRunConfig, run: str, streams: Collection[str]) -> LoomRunConfig:
    """The training starts from a run's tokenizers and weights; what the configuration says of streams of that
    run which the data lack is left out.

    Args:
        config: the configuration.
        run: a finished run of a Loom.
        streams: those of the data.

    Raises:
        BadRun: as `with_tokenizers`.
    """
    known = load(run, device="cpu").model.streams
    lacking, further = known.keys() - {*streams}, [name for name in streams if name not in known]
    mixture = config.loom.mixture
    wanted = tuple(name for name in mixture.wanted if name not in lacking)
    if mixture.wanted:
        wanted = (*wanted, *further)
    config = replace(
        config,
        streams={name: settings for name, settings in config.streams.items() if name not in lacking},
        loom=replace(config.loom, mixture=replace(mixture, wanted=wanted)),
        training=replace(config.training, start=str(Path(run).absolute())),
    )
    return with_tokenizers(config, run, streams)


def load_weights(loom: Loom, streams: Mapping[str, Stream], run: str) -> list[str]:
    """Copy what fits of a run's Loom into another; returns the names of the weights that stay as they are.

    Args:
        loom: has its initial weights.
        streams: those of the Loom.
        run: a finished run of a Loom.

    Raises `BadRun` if nothing fits.
    """
    own, theirs = loom.state_dict(), _fitting(loom, streams, run)
    if not theirs:
        raise BadRun(f"no weight of {run} fits this network; give it the same width, or leave --from out")
    for name, tensor in theirs.items():
        own[name].copy_(tensor)
    return [name for name in own if name not in theirs]


def interpolate_weights(loom: Loom, streams: Mapping[str, Stream], run: str, weight: float) -> None:
    """Move a trained Loom towards the run that it started from: θ ← θ₀ + w (θ − θ₀).

    Wortsman et al. 2022, "Robust fine-tuning of zero-shot models": it keeps most of the gain and loses less.

    Args:
        loom: trained from the run.
        streams: those of the Loom.
        run: a finished run of a Loom.
        weight: w, in [0, 1]; 1 changes nothing.
    """
    own = loom.state_dict()
    for name, tensor in _fitting(loom, streams, run).items():
        if tensor.is_floating_point():
            own[name].copy_(tensor.to(own[name]).lerp(own[name], weight))


def _fitting(loom: Loom, streams: Mapping[str, Stream], run: str) -> dict[str, Tensor]:
    """Name of a weight → that of the run, where it has one of the same shape."""
    source = load(run, device="cpu").model
    table = {
        stream.table: source.streams[name].table for name, stream in streams.items() if name in source.streams
    }
    own, theirs = loom.state_dict(), source.loom.state_dict()
    found = {name: theirs.get(_source_name(name, table)) for name in own}
    return {name: one for name, one in found.items() if one is not None and one.shape == own[name].shape}


def _source_name(name: str, table: Mapping[str, str]) -> str:
    """The name of a weight in the other run, whose tokenizers may be called otherwise."""
    if not name.startswith(EMBEDDINGS):
        return name
    rest = name.removeprefix(EMBEDDINGS)
    for own, theirs in sorted(table.items(), key=lambda pair: -len(pair[0])):
        if rest.startswith((f"{own}.", f"{own}:")):
            return f"{EMBEDDINGS}{theirs}{rest[len(own) :]}"
    return ""
