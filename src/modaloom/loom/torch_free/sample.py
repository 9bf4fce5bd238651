"""Samples from a model that modaloom exported as ONNX graphs; needs onnxruntime and numpy alone.

    python sample.py --given caption="a red circle" --want image --n 4 --seed 0 --out drawn

Random numbers are numpy's: samples have the distribution of modaloom's own, and are others for the same seed.
With temperature=0 and choice_temperature=0 nothing is random, and they are the same.

Text is text, a table's row a dict, all else the array that modaloom packs: pixels uint8 (C, H, W) of the size
in model.json, spectrograms of sounds int16 (channels · bands, frames). Read and written as .txt, .json, .npy.

Shapes: n samples, L positions, Q residual depths, K codes, T tokens.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from samplers import SAMPLERS, Candidates, gumbel, log_softmax, pick, times
from values import CODECS, Array, Facts, Signal

MASK = -1
Draw = Callable[..., Array]
"""(*shape) → float64 (n, *shape) of U[0, 1), of which each sample has its own generator."""


@dataclass(frozen=True)
class Field:
    """A stream in the canvas, its length, or its codes that all positions share."""

    state: Array
    """int64 (n, L, Q), `MASK` where unknown."""
    valid: Array
    """bool (n, L)."""
    given: bool = True
    """Whether it is a condition."""


Canvas = dict[str, Field]


class Model:
    """The graphs of a folder."""

    def __init__(self, folder: str | Path, threads: int = 0) -> None:
        """`threads` of each graph; 0: as many as there are cores."""
        self.folder, self.threads = Path(folder), threads
        self.facts: dict[str, Any] = json.loads((self.folder / "model.json").read_text(encoding="utf-8"))
        self.streams: Facts = self.facts["streams"]
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}

    def generate(
        self, given: Mapping[str, Any], want: Sequence[str], *, n: int = 1, seed: int = 0, **sampling: Any
    ) -> list[dict[str, Any]]:
        """n samples of the streams `want`, given values; `sampling` as "sampling" in model.json."""
        wrong = {*given, *want} - {*self.streams} | {*want} - {*self.facts["wanted"]} | {*given} & {*want}
        if wrong or not want or sampling.keys() - self.facts["sampling"].keys():
            raise ValueError(f"unknown, given and wanted, or nothing wanted: {wrong or [*sampling]}")
        if n < 1 or sampling.get("steps", 1) < 1 or sampling.get("temperature", 0) < 0:
            raise ValueError(f"n and steps are at least 1, a temperature at least 0; got {n}, {sampling}")
        codes = {name: np.repeat(self.encode(name, value), n, 0) for name, value in given.items()}
        drawn = self.draw(codes, want, n=n, seed=seed, **sampling)
        columns = {name: self.decode(name, drawn[name]) for name in want}
        return [dict(zip(columns, row)) for row in zip(*columns.values())]

    def encode(self, name: str, value: Any) -> Array:
        """A value → int64 codes (1, L, Q)."""
        return self._codec(name).encode(value)[None]

    def decode(self, name: str, codes: Array) -> list[Any]:
        """Codes (n, L, Q) → n values."""
        codec = self._codec(name)
        return [codec.decode(row) for row in codes]

    def _codec(self, name: str) -> Any:
        return CODECS.get(self.streams[name]["kind"], Signal)(self.streams[name], self.run)

    def run(self, graph: str, inputs: Mapping[str, Array]) -> list[Array]:
        """The outputs of a graph."""
        if graph not in self._sessions:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = self.threads
            path, providers = str(self.folder / f"{graph}.onnx"), ["CPUExecutionProvider"]
            self._sessions[graph] = onnxruntime.InferenceSession(path, options, providers=providers)
        found: list[Array] = self._sessions[graph].run(None, dict(inputs))
        return found

    def denoise(self, canvas: Canvas) -> dict[str, Array]:
        """Field → logits float32 (n, L, Q, K) of its clean codes. An absent field is a hidden token."""
        n, inputs = len(next(iter(canvas.values())).state), {}
        for name, facts in self.facts["fields"].items():
            absent = Field(np.zeros((n, 1, facts["depth"]), np.int64), np.zeros((n, 1), bool), given=False)
            field = canvas.get(name, absent)
            inputs[f"state.{name}"], inputs[f"valid.{name}"] = field.state, field.valid
            inputs[f"given.{name}"] = np.full(n, field.given)
        found = zip(self.facts["fields"], self.run("denoise", inputs))
        return {name: logits for name, logits in found if name in canvas}

    def guided(self, canvas: Canvas, scale: float) -> dict[str, Array]:
        """Logits with classifier-free guidance: p ∝ p_u · (p_c / p_u)^scale."""
        rest = {name: field for name, field in canvas.items() if not field.given and field.valid.any()}
        if scale in (0, 1) or len(rest) == len(canvas):
            return self.denoise(canvas if scale else rest)
        conditional, free = self.denoise(canvas), self.denoise(rest)
        logs = {name: (log_softmax(free[name]), log_softmax(conditional[name])) for name in rest}
        return {name: log_softmax(u + scale * (c - u)) for name, (u, c) in logs.items()}

    def draw(
        self, codes: Mapping[str, Array], want: Sequence[str], *, n: int, seed: int, **sampling: Any
    ) -> dict[str, Array]:
        """Given codes (n, L, Q) → codes of the streams `want`: short ones first, each given those before."""
        options = {**self.facts["sampling"], **sampling}
        generators = [np.random.default_rng([seed % 2**64, i]) for i in range(n)]
        uniform: Draw = lambda *shape: np.stack([g.random(shape) for g in generators])  # noqa: E731
        canvas: Canvas = {}
        for name, own in codes.items():
            canvas |= self._split(name, own)
        for name in sorted(want, key=lambda name: (self.streams[name]["num_codes"], name)):
            canvas |= self._draw_stream(name, canvas, n, uniform, options)
        return {name: self._join(name, canvas) for name in want}

    def _draw_stream(self, name: str, canvas: Canvas, n: int, uniform: Draw, options: Facts) -> Canvas:
        sampler, facts = options["sampler" if canvas else "unconditional_sampler"], self.facts["fields"]
        keys = [key for key in facts if key.partition(":")[0] == name]
        asked = {key: _masked(n, facts[key]) for key in keys}
        length = asked.get(f"{name}:length")
        if length is not None:
            asked[name] = replace(asked[name], valid=np.zeros_like(asked[name].valid))
        for key in sorted(set(keys) - {name}):  # the length, then shared codes
            for depth in range(facts[key]["depth"]):
                logits = self.guided(_shown(canvas | asked), options["guidance"])[key][..., depth, :]
                asked[key].state[..., depth] = pick(logits, uniform(1), options)
            if key.endswith(":length"):
                asked[name] = self._cut(name, asked[name], asked[key].state)
        codes = asked.pop(name)
        for before, s in pairwise(times(options["steps"])):
            codes = self._step(name, canvas | asked, codes, before, s, uniform, sampler, options)
        return {key: replace(field, given=True) for key, field in {name: codes, **asked}.items()}

    def _step(
        self, name: str, others: Canvas, field: Field, before: np.float32, s: np.float32, uniform: Draw,
        sampler: str, options: Facts,
    ) -> Field:  # fmt: skip
        """Unmask the codes of the highest rank, so many that a fraction `s` of them stays masked."""
        kind, shape = SAMPLERS[sampler], field.state.shape[1:]
        codes_at, ranks_at = uniform(*shape), uniform(*shape)
        total = (field.valid.sum(1) * shape[1]).astype(np.float32)
        left = np.rint(total * kind.masked(s)).astype(np.int64)
        while ((count := _masks(field).sum(1) - left) > 0).any():
            masked = _masks(field)
            depth = np.minimum(shape[1] - masked, shape[1] - 1)[..., None]
            logits = self.guided(others | {name: field}, options["guidance"])[name]
            scores = np.take_along_axis(logits, depth[..., None], 2)[:, :, 0].astype(np.float64)
            at = (np.take_along_axis(u, depth, 2)[..., 0] for u in (codes_at, ranks_at))
            codes, noise = pick(scores, next(at), options), gumbel(next(at))
            found = Candidates(codes, log_softmax(scores), masked, before, noise, options)
            allowed = (masked == masked.max(1, keepdims=True) if kind.coarsest else True) & (masked > 0)
            order = np.argsort(-np.where(allowed, kind.rank(found), -np.inf), 1, kind="stable")
            chosen = allowed & (np.argsort(order, 1) < count[:, None])
            old = np.take_along_axis(field.state, depth, 2)
            state = field.state.copy()
            np.put_along_axis(state, depth, np.where(chosen[..., None], codes[..., None], old), 2)
            field = replace(field, state=state)
        return field

    def _split(self, name: str, codes: Array) -> Canvas:
        """Codes of a stream → its fields, as conditions."""
        stream = self.streams[name]
        own, shared = codes[..., : stream["depth"] - stream["shared"]], codes[:, :1, -stream["shared"] :]
        canvas = {name: Field(own, np.ones(own.shape[:2], bool))}
        if stream["variable"]:
            ended = codes[..., 0] == stream["codebook_size"]
            lengths = (~ended).sum(1)[:, None, None] // stream["row_size"]
            canvas[f"{name}:length"] = Field(lengths, np.ones((len(codes), 1), bool))
            filled = replace(canvas[name], state=np.where(ended[..., None], 0, own))
            canvas[name] = self._cut(name, filled, lengths)
        if stream["shared"]:
            first = np.where(shared == stream["codebook_size"], 0, shared)
            canvas[f"{name}:shared"] = Field(first, np.ones((len(codes), 1), bool))
        return canvas

    def _cut(self, name: str, field: Field, lengths: Array) -> Field:
        """The field without the positions that no sample has."""
        size = self.streams[name]["row_size"]
        ends = lengths[:, 0] * size
        most = max(int(ends.max()), size)
        return replace(field, state=field.state[:, :most], valid=np.arange(most) < ends)

    def _join(self, name: str, canvas: Canvas) -> Array:
        """Fields → codes (n, L, Q) of a stream; positions after the end of a sample have the code K."""
        field = canvas[name]
        parts = [field.state]
        if (shared := canvas.get(f"{name}:shared")) is not None:
            parts.append(np.repeat(shared.state, field.state.shape[1], 1))
        whole = np.concatenate(parts, -1)
        return np.where(field.valid[..., None], whole, self.streams[name]["codebook_size"])


def _masked(n: int, facts: Facts) -> Field:
    state = np.full((n, facts["positions"], facts["depth"]), MASK, np.int64)
    return Field(state, np.ones(state.shape[:2], bool), given=False)


def _masks(field: Field) -> Array:
    """int64 (n, L): the masked codes of each position."""
    return np.asarray((field.state == MASK).sum(-1) * field.valid)


def _shown(canvas: Canvas) -> Canvas:
    """The fields with anything valid."""
    return {key: field for key, field in canvas.items() if field.valid.any()}


def main() -> None:
    """The command line."""
    about, _, _ = (__doc__ or "").partition("\n\nRandom")
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--given", metavar="STREAM=VALUE", action="append", default=[], help="a text, @@ for @, or @FILE"
    )
    parser.add_argument("--want", required=True, help="A,B")
    parser.add_argument("--n", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--temperature", type=float)
    parser.add_argument("--out", type=Path, required=True)
    asked = vars(parser.parse_args())
    sampling = {key: asked[key] for key in ("steps", "temperature") if asked[key] is not None}
    try:
        given = {name: _read(value) for name, _, value in (word.partition("=") for word in asked["given"])}
        samples = Model(Path(__file__).parent).generate(
            given, asked["want"].split(","), n=asked["n"], seed=asked["seed"], **sampling
        )
        asked["out"].mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    for i, sample in enumerate(samples):
        for name, value in sample.items():
            _write(asked["out"] / f"{i:04d}.{name}", value)


def _read(value: str) -> Any:
    if not value.startswith("@") or value.startswith("@@"):
        return value.removeprefix("@")
    path = Path(value[1:])
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    text = path.read_bytes().decode("utf-8-sig")
    return json.loads(text) if path.suffix == ".json" else text.removesuffix("\n").removesuffix("\r")


def _write(stem: Path, value: Any) -> None:
    if isinstance(value, np.ndarray):
        np.save(f"{stem}.npy", value)
    elif isinstance(value, str):
        Path(f"{stem}.txt").write_text(value, encoding="utf-8")
    else:
        Path(f"{stem}.json").write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
