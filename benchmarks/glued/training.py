"""Trains the parts one after the other, on the same samples as modaloom."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from budget import Budget, Descent
from torch import Tensor

from glued.autoencoder import SIZE, Autoencoder, pixels, scaled
from glued.model import IMAGE, Glue, Stream
from glued.transformer import MaskedTransformer, Span
from glued.words import Words
from modaloom.core.rng import derive
from modaloom.core.types import Sample
from modaloom.modalities import MODALITIES

SHARE = 0.2
"""Of the seconds, the tokenizer's, as in modaloom."""
BATCH = 64
TOKENIZER = TRANSFORMER = Descent(rate=2e-3, bf16=True)


def train(
    samples: Sequence[Sample],
    modality_of: Mapping[str, str],
    wanted: Sequence[str],
    seconds: float,
    *,
    steps: Mapping[str, int] | None = None,
    seed: int,
) -> Glue:
    """Learn one stream of pictures and any of texts, all of which every sample has.

    `steps` for "tokenizer" and "transformer" go before the seconds, which count all work, as modaloom's do.
    """
    start, steps = time.perf_counter(), steps or {}
    columns = {name: [sample.streams[name] for sample in samples] for name in modality_of}
    (image,) = [name for name, modality in modality_of.items() if modality == IMAGE]
    bytes_, texts = pixels(columns.pop(image)), columns
    autoencoder, first = fit_tokenizer(bytes_, Budget(SHARE * seconds, steps.get("tokenizer")), seed=seed)
    words = Words.of(text for column in texts.values() for text in column)
    codes = {image: autoencoder.encode(scaled(bytes_)), **_numbered(words, texts)}
    spans = _spans(codes, {image: slice(len(words.known), len(words.known) + SIZE)}, len(words.known))
    tokens_NT = torch.cat([column + spans[name].codes.start for name, column in codes.items()], 1)
    left = Budget(seconds - (time.perf_counter() - start), steps.get("transformer"))
    net, second = fit_transformer(tokens_NT, spans, wanted, left, seed=seed)
    streams = {
        name: Stream(modality, kind.infer_spec([s.streams[name] for s in samples], kind.limits))
        for name, modality in modality_of.items()
        for kind in (MODALITIES[modality],)
    }
    return Glue(streams, autoencoder, words, net, {"tokenizer": first, "transformer": second})


def fit_tokenizer(bytes_: Tensor, budget: Budget, *, seed: int) -> tuple[Autoencoder, list[float]]:
    """Pictures uint8 (N, 3, side, side) → a trained autoencoder, and its losses."""
    with torch.random.fork_rng(devices=[]):
        # The library's k-means and dead-code restart use torch's global state, so it stays seeded.
        torch.manual_seed(derive(seed, "glued autoencoder"))
        autoencoder = Autoencoder()

        def loss(rng: torch.Generator) -> Tensor:
            return autoencoder.loss(scaled(_batch(bytes_, rng)))

        return autoencoder, TOKENIZER.run(autoencoder, loss, budget, seed=seed)


def fit_transformer(
    tokens_NT: Tensor, spans: Mapping[str, Span], wanted: Sequence[str], budget: Budget, *, seed: int
) -> tuple[MaskedTransformer, list[float]]:
    """The training samples' tokens → a trained transformer, and its losses."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "glued transformer"))
        net = MaskedTransformer(spans, wanted)

    def loss(rng: torch.Generator) -> Tensor:
        return net.loss(_batch(tokens_NT, rng), rng)

    return net, TRANSFORMER.run(net, loss, budget, seed=seed)


def _numbered(words: Words, texts: Mapping[str, list[Any]]) -> dict[str, Tensor]:
    """Every text, with room for an end after the longest."""
    most = {name: max(len(text.split()) for text in column) for name, column in texts.items()}
    return {name: words.encode(column, most[name] + 1) for name, column in texts.items()}


def _spans(codes: Mapping[str, Tensor], special: Mapping[str, slice], words: int) -> dict[str, Span]:
    spans, place = {}, 0
    for name, column in codes.items():
        end = place + column.shape[1]
        spans[name] = Span(slice(place, end), special.get(name, slice(0, words)))
        place = end
    return spans


def _batch(rows: Tensor, rng: torch.Generator) -> Tensor:
    return rows[torch.randint(len(rows), (min(BATCH, len(rows)),), generator=rng)]
