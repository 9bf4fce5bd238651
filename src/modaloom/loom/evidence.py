"""How likely given parts of an input make a value, by a Loom's own conditionals.

A hidden part of a stream has masked codes, as in training; a stream of which nothing is shown is absent.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.core.types import Canvas
from modaloom.diffusion.noise import Noise, uniforms
from modaloom.loom.fields import cut_field, known_field, own_field, partly_field, rows_of
from modaloom.loom.layout import length_field
from modaloom.loom.loom import Loom
from modaloom.tokenizers.parts import Part

MAX_TOKENS = 2**15
"""Tokens of a batch."""
WHOLE = "as a whole"
"""Name of the part of a value that has no place: a picture's colours, where these are codes of their own."""


def parts_of(loom: Loom, stream: str, parts: Sequence[Part]) -> list[Part]:
    """The parts of a stream; one more holds its shared codes, or all of a value without parts."""
    shape = loom.shapes[stream]
    rest = ~torch.stack(
        [torch.zeros(shape.num_positions, dtype=torch.bool), *(p.positions for p in parts)]
    ).any(0)
    return [*parts, *[Part(WHOLE, rest)] * (shape.shared > 0 or not parts)]


class Evidence:
    """log₂ p(value | what is shown), for any part of what is given: a `Game`.

    A pseudo-log-likelihood: with some codes of the value masked, each masked one is predicted from all that
    are not, and the mean over noise levels 1/N, 2/N, …, 1 is multiplied by the number of codes. For a masked
    process it is an estimate of the bound of `Process.nelbo` with less variance (ARDM, arXiv 2110.02037,
    eq. 4). The masks are the same for all parts, so that most of their noise cancels in differences. The
    length of a variable stream counts as known.

    Args:
        loom: the model.
        given: stream → int64 codes (L, Q).
        parts: stream → its parts (`parts_of`), at least one.
        want: the target stream.
        value: int64 codes (L, Q) of it.
        seed: of the masks.
        levels: the number N of noise levels.
    """

    def __init__(
        self,
        loom: Loom,
        given: Mapping[str, Tensor],
        parts: Mapping[str, Sequence[Part]],
        want: str,
        value: Tensor,
        *,
        seed: int,
        levels: int,
    ) -> None:
        self.loom, self.parts, self.seed, self.levels = loom, parts, seed, levels
        self.given = self._known({name: codes[None] for name, codes in given.items()})
        self.clean = self._known({want: value[None].expand(levels, -1, -1)})
        self.asked = [key for key in self.clean if key != length_field(want)]
        own = {key: own_field(f) for key, f in self.clean.items()}
        times = (torch.arange(1, levels + 1) / levels).to(self._device)
        noise = generator(seed, "evidence", want)
        self.noisy = loom.process.diffuse(own, dict.fromkeys(self.asked, times), generator=noise)

    @torch.no_grad()
    def __call__(self, shown: Tensor) -> Tensor:
        """bool (n, P), which parts are shown, those of a stream after those of the one before → bits (n,)."""
        states, place = torch.unique(shown, dim=0, return_inverse=True)
        columns = states.split([len(parts) for parts in self.parts.values()], 1)
        present = torch.stack([column.any(1) for column in columns], 1)
        bits = torch.zeros(len(states), dtype=torch.float64)
        for pattern in torch.unique(present, dim=0):
            rows = (present == pattern).all(1).nonzero()[:, 0]
            for some in rows.split(self._batch_size):
                streams = zip(self.parts, columns, pattern)
                bits[some] = self._bits(
                    {name: column[some] for name, column, here in streams if here}, len(some)
                )
        return bits[place]

    def _bits(self, shown: Mapping[str, Tensor], n: int) -> Tensor:
        """Stream → bool (n, parts), which are shown, at least one → bits (n,)."""
        each, all_levels = torch.arange(n).repeat_interleave(self.levels), torch.arange(self.levels).repeat(n)
        canvas = {key: rows_of(f, all_levels) for key, f in self.noisy.items()}
        for name, column in shown.items():
            canvas |= {key: rows_of(f, each) for key, f in self._partly(name, column).items()}
        logits = self.loom(canvas)
        nats = torch.zeros(n, dtype=torch.float64)
        for key in self.asked:
            clean = self.clean[key].state[all_levels]
            mean = self.loom.process.training_loss(logits[key], clean, canvas[key]).double().cpu()
            nats += mean.view(n, -1) @ self._weights(key)
        return -nats / math.log(2)

    def _weights(self, key: str) -> Tensor:
        """float64 (N,): the number of codes over that of the noise levels at which any is hidden."""
        clean, noisy = self.clean[key], self.noisy[key]
        hidden = ((clean.state != noisy.state) & noisy.valid[..., None]).flatten(1).any(1).double().cpu()
        codes = int(clean.valid[0].sum()) * clean.state.shape[-1]
        return hidden * codes / hidden.sum().clamp_min(1)

    def _partly(self, name: str, shown: Tensor) -> Canvas:
        """The fields of a given stream of which these parts are shown, bool (n, parts)."""
        positions = torch.stack([part.positions for part in self.parts[name]])
        kept, canvas = (shown[..., None] & positions).any(1), Canvas()
        for key in self.loom.layout.fields_of(name):
            f = rows_of(self.given[key], torch.zeros(len(shown), dtype=torch.int64))
            if key != length_field(name):
                own = kept[:, : f.state.shape[1]] if key == name else shown[:, -1:]
                f = partly_field(f, own.to(self._device))
                noise = Noise([generator(self.seed, "hidden", key)], each=len(shown), draw=_alike)
                f = replace(self.loom.process.prior(f, noise=noise), t=f.t)
            canvas[key] = f
        return canvas

    def _known(self, streams: Mapping[str, Tensor]) -> Canvas:
        """Known fields of codes (B, L, Q)."""
        layout = self.loom.layout
        states = layout.split({name: codes.to(self._device) for name, codes in streams.items()})
        filled = layout.filled(states)
        return {
            key: cut_field(known_field(state, filled[key], layout.shapes[key]), layout.shapes[key])
            for key, state in states.items()
        }

    @property
    def _batch_size(self) -> int:
        tokens = sum(f.state.shape[1] for f in (*self.given.values(), *self.clean.values()))
        return max(1, MAX_TOKENS // (tokens * self.levels))

    @property
    def _device(self) -> torch.device:
        return next(self.loom.parameters()).device


def _alike(n: int, *shape: int, generator: torch.Generator) -> Tensor:
    """float64 (n, *shape) of U[0, 1), the same in all n."""
    return uniforms(1, *shape, generator=generator).expand(n, *shape)
