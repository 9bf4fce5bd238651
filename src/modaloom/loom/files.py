"""Build modules from a configuration and inferred specs, and serialize them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from modaloom.core.errors import BadRun
from modaloom.loom.config import LoomConfig
from modaloom.loom.loom import Loom
from modaloom.loom.model import Model, Stream
from modaloom.runs.config_io import from_plain
from modaloom.runs.model import Part, freeze, with_tensors
from modaloom.runs.tokenizers import tokenizer_facts, unpack_tokenizer
from modaloom.tokenizers import Tokenizer

LOOM = "loom"
"""Name of the Loom as a model part and as a training stage."""


@dataclass(frozen=True)
class StreamPlan:
    """Modality, tokenizer and code grid of a stream."""

    modality: str
    tokenizer: str
    """Name of its tokenizer, shared by streams of the same modality and spec."""
    grid: tuple[int, ...]

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "StreamPlan":
        """The inverse of `dataclasses.asdict` after a JSON round trip."""
        return cls(plain["modality"], plain["tokenizer"], tuple(plain["grid"]))


def build_streams(plans: Mapping[str, StreamPlan], tokenizers: Mapping[str, Tokenizer]) -> dict[str, Stream]:
    """Streams, each with the view of its tokenizer for its grid."""
    return {
        name: Stream(plan.modality, tokenizers[plan.tokenizer].view(plan.grid), plan.tokenizer)
        for name, plan in plans.items()
    }


def build_loom(streams: Mapping[str, Stream], config: LoomConfig, *, seed: int) -> Loom:
    """A Loom with random weights that depend on the seed only."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Loom(
            {name: stream.tokenizer.shape for name, stream in streams.items()},
            {name: stream.table for name, stream in streams.items()},
            {s.table: v for s in streams.values() if (v := s.tokenizer.vectors) is not None},
            config,
        )


def pack_model(model: Model, plans: Mapping[str, StreamPlan]) -> dict[str, Part]:
    """Serializable parts of a model: every tokenizer, and the Loom."""
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
    """The inverse of `pack_model`, in eval mode. Raises `BadRun` if the parts are inconsistent."""
    try:
        loom = parts[LOOM]
        tokenizers = {name: unpack_tokenizer(part) for name, part in parts.items() if name != LOOM}
        plans = {name: StreamPlan.of(plain) for name, plain in loom.state["streams"].items()}
        streams = build_streams(plans, tokenizers)
        config = from_plain(LoomConfig, loom.state["config"])
        model = Model(streams, with_tensors(lambda: build_loom(streams, config, seed=0), loom.tensors))
    except (LookupError, TypeError, AttributeError, AssertionError, RuntimeError, ValueError) as error:
        raise BadRun(f"the parts of the model do not fit each other ({error})") from error
    freeze([model.loom, *tokenizers.values()])
    return model
