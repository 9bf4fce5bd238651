"""From a configuration and what was measured on the data to modules, and from modules to files and back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from modaloom.core.errors import BadRun
from modaloom.loom.config import LoomConfig
from modaloom.loom.loom import Loom
from modaloom.loom.model import Model, Stream
from modaloom.runs.config_io import from_plain
from modaloom.runs.model import Part, freeze
from modaloom.runs.tokenizers import tokenizer_facts, unpack_tokenizer
from modaloom.tokenizers import Tokenizer

LOOM = "loom"
"""The Loom's name among the parts of a model and the stages of a training."""


@dataclass(frozen=True)
class StreamPlan:
    """How a stream becomes codes."""

    modality: str
    tokenizer: str
    """The name of the tokenizer that it shares with streams of the same modality and spec."""
    grid: tuple[int, ...]

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "StreamPlan":
        """The inverse of `dataclasses.asdict`, after JSON."""
        return cls(plain["modality"], plain["tokenizer"], tuple(plain["grid"]))


def build_streams(plans: Mapping[str, StreamPlan], tokenizers: Mapping[str, Tokenizer]) -> dict[str, Stream]:
    """Streams with their view of their tokenizer."""
    return {
        name: Stream(plan.modality, tokenizers[plan.tokenizer].view(plan.grid), plan.tokenizer)
        for name, plan in plans.items()
    }


def build_loom(streams: Mapping[str, Stream], config: LoomConfig, *, seed: int) -> Loom:
    """A Loom with fresh weights, which depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Loom(
            {name: stream.tokenizer.shape for name, stream in streams.items()},
            {name: stream.table for name, stream in streams.items()},
            {s.table: v for s in streams.values() if (v := s.tokenizer.vectors) is not None},
            config,
        )


def pack_model(model: Model, plans: Mapping[str, StreamPlan]) -> dict[str, Part]:
    """The parts of a model: every tokenizer, and the Loom."""
    tokenizers = {plan.tokenizer: model.streams[name].tokenizer for name, plan in plans.items()}
    parts = {
        name: Part(tokenizer.state_dict(), tokenizer_facts(tokenizer))
        for name, tokenizer in tokenizers.items()
    }
    state = {
        "streams": {name: asdict(plan) for name, plan in plans.items()},
        "config": asdict(model.loom.config),
    }
    return {**parts, LOOM: Part(model.loom.state_dict(), state)}


def unpack_model(parts: Mapping[str, Part]) -> Model:
    """The inverse of `pack_model`, in eval mode. Raises `BadRun` if the parts do not fit each other."""
    try:
        loom = parts[LOOM]
        tokenizers = {name: unpack_tokenizer(part) for name, part in parts.items() if name != LOOM}
        plans = {name: StreamPlan.of(plain) for name, plain in loom.state["streams"].items()}
        streams = build_streams(plans, tokenizers)
        model = Model(streams, build_loom(streams, from_plain(LoomConfig, loom.state["config"]), seed=0))
        model.loom.load_state_dict(dict(loom.tensors))
    except (LookupError, TypeError, AttributeError, AssertionError, RuntimeError, ValueError) as error:
        raise BadRun(f"the parts of the model do not fit each other ({error})") from error
    freeze([model.loom, *tokenizers.values()])
    return model
