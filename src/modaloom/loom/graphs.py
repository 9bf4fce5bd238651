"""A Loom run as graphs and facts, from which `torch_free/sample.py` draws."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.core.graph import Function, Graph
from modaloom.core.types import MASK, CodeShape, Field
from modaloom.diffusion.samplers import CODE_SAMPLERS, DEFAULT_SAMPLER, UNCONDITIONAL_SAMPLER, resolve_sampler
from modaloom.engine import Exportable
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.loom import Loom
from modaloom.loom.model import Model, Stream
from modaloom.runs.tokenizers import tokenizer_facts

PROGRAM = Path(__file__).parent / "torch_free"
KEPT = ("steps", "guidance", "temperature", "top_p", "choice_temperature")
"""Options of sampling that it has."""


def exportable(model: Model) -> Exportable:
    """Graphs, facts and program of a model. Raises `BadValue` for a process or a sampler that it lacks."""
    loom = model.loom
    by_table = {stream.table: stream.tokenizer for stream in model.streams.values()}
    coders = {f"{end}.{t}": graph for t, one in by_table.items() for end, graph in one.graphs.items()}
    facts = {
        "streams": {name: _stream_facts(stream) for name, stream in model.streams.items()},
        "fields": {key: _field_facts(shape) for key, shape in loom.layout.shapes.items()},
        "wanted": [*model.wanted],
        "sampling": _sampling_facts(loom.config.sampling, loom.config.process),
    }
    return Exportable({**coders, "denoise": _denoiser(loom)}, facts, PROGRAM)


def _denoiser(loom: Loom) -> Graph:
    """(`state`, `valid`, `given` of each field) → `logits` of each; see `CanvasTransformer.masked`."""
    shapes, inputs = loom.layout.shapes, dict[str, Tensor]()
    for key, shape in shapes.items():
        L = max(2, shape.num_positions)
        inputs[f"state.{key}"] = torch.full((2, L, shape.depth), MASK)
        inputs[f"valid.{key}"] = torch.ones(2, L, dtype=torch.bool)
        inputs[f"given.{key}"] = torch.zeros(2, dtype=torch.bool)

    def denoise(*values: Tensor) -> tuple[Tensor, ...]:
        named = dict(zip(inputs, values))
        canvas = {
            key: _field(*(named[f"{part}.{key}"] for part in ("state", "valid", "given"))) for key in shapes
        }
        return (*loom.network.masked(canvas).values(),)

    lengths = dict.fromkeys((name for name in inputs if not name.startswith("given.")), 1)
    return Graph(Function(loom, denoise), inputs, [f"logits.{key}" for key in shapes], lengths)


def _field(state: Tensor, valid: Tensor, given: Tensor) -> Field:
    return Field(state, given[:, None, None].expand_as(state), valid, given.float())


def _stream_facts(stream: Stream) -> Mapping[str, Any]:
    shape, graphs = stream.tokenizer.shape, stream.tokenizer.graphs
    known: dict[str, Any] = {}
    if graphs:
        packed, codes = graphs["encode"].inputs["values"], graphs["decode"].inputs["codes"]
        stride = packed.shape[2] // codes.shape[1]
        known = {"stride": stride, "end": codes.shape[-1] < shape.depth, "values": [*packed.shape[1:]]}
        known["type"] = str(packed.dtype).removeprefix("torch.")
    numbers = {"num_codes": shape.num_codes, "row_size": shape.row_size}
    return {
        "modality": stream.modality,
        "tokenizer": stream.table,
        **tokenizer_facts(stream.tokenizer),
        **asdict(shape),
        **numbers,
        **known,
    }


def _field_facts(shape: CodeShape) -> Mapping[str, int]:
    return {"positions": shape.num_positions, "depth": shape.depth, "codebook_size": shape.codebook_size}


def _sampling_facts(config: CodeSamplingConfig, process: str) -> Mapping[str, Any]:
    sampler = resolve_sampler(config.sampler, process, DEFAULT_SAMPLER)
    first = resolve_sampler(config.unconditional_sampler, process, UNCONDITIONAL_SAMPLER)
    for name in (sampler, first):
        if not CODE_SAMPLERS[name].ranked:
            ranked = ", ".join(name for name, sampler in CODE_SAMPLERS.items() if sampler.ranked)
            raise BadValue(
                f"the run draws by the sampler {name} of the process {process}; sample.py has {ranked} alone"
            )
    known = {key: value for key, value in asdict(config).items() if key in KEPT}
    return {**known, "sampler": sampler, "unconditional_sampler": first}
