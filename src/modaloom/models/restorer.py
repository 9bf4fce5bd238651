"""A Restorer: a process in signal space and a network that is shown what is known.

Shapes: B batch, C channels, K kinds of pairs.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields

import torch
from torch import Tensor, nn

from modaloom.core.errors import BadValue, check_range
from modaloom.core.types import Loss
from modaloom.diffusion.level import over
from modaloom.diffusion.mean_flow import Average, mean_flow_error, stretches, weighed
from modaloom.diffusion.prediction import Levels, Mean, Prediction, denoiser
from modaloom.diffusion.samplers.continuous.ddim import ddim
from modaloom.diffusion.samplers.continuous.jump import jump
from modaloom.models.pair import Pair

Walk = Callable[[Mean, Levels, Tensor, Tensor], Iterator[Tensor]]
"""Denoiser, process, the state at the first time, times → the state at each later time."""


class Restorer(nn.Module):
    """Answers a `Pair`'s question in two ways that must never be compared by squared error.

    `mean` is E[target | condition] in one evaluation: the best guess, and smoother than any real signal.
    `sample` is one draw of what the target may be: as rough as real signals, with twice the mean's squared
    error if the model is perfect.

    Both come from one network, (state, t, condition, context) → output. At t = 1 the state says nothing of
    the target, so zeros there can stand for the question of the mean: a walk starts in noise.

    Args:
        network: is shown condition and context as they stand in the pair.
        process: has no data left at t = 1.
        prediction: what the network puts out; not "eps", which says nothing at t = 1.
        kinds: K; each has a shift and a scale of its own, measured on training pairs (`measure`).
        means: the share of training pairs that ask for the mean.
        leaps: the share of the others that learn the average velocity over a stretch of time, by which `leap`
            draws in a few steps. The process must be rectified flow, the prediction its velocity, and the
            network be told of reaches (`Told`).
        asks: the channels of its targets and conditions, and the features of its contexts; None: any.
    """

    def __init__(
        self,
        network: nn.Module,
        process: Levels,
        prediction: Prediction,
        *,
        kinds: int = 1,
        means: float = 0.5,
        leaps: float = 0.0,
        asks: tuple[int, int, int] | None = None,
    ) -> None:
        super().__init__()
        self.asks = asks
        check_range("means", means, 0, 1)
        check_range("leaps", leaps, 0, 1)
        self.network, self.process, self.prediction = network, process, prediction
        self.means, self.leaps = means, leaps
        self.shift_K: Tensor
        self.scale_K: Tensor
        self.register_buffer("shift_K", torch.zeros(kinds))
        self.register_buffer("scale_K", torch.ones(kinds))

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Kernels and matrices between the network's layers, where it names them."""
        named: list[nn.Parameter] = getattr(self.network, "hidden_matrices", list)()
        return named

    @property
    def modes(self) -> tuple[str, ...]:
        """How it has learned to answer, the usual way first: mean | sample."""
        return (*["mean"][: self.means > 0], *["sample"][: self.means < 1])

    def check(self, pair: Pair) -> None:
        """Raise `BadValue` for a single question of another shape than those that it has learned from."""
        shape = len(pair.target), len(pair.condition), pair.context.shape[-1]
        if self.asks is not None and shape != self.asks:
            what = "channels wanted, channels shown, features told"
            raise BadValue(f"this question has {shape} {what}; the run was trained for {self.asks}")

    def measure(self, pairs: Iterable[Pair]) -> None:
        """Mean and deviation of each kind's targets, in float64. Kinds that do not occur keep what they have.

        `pairs` of single samples. Raises `BadValue` where the targets of a kind are all one value.
        """
        sums = torch.zeros(len(self.scale_K), 3, dtype=torch.float64)
        for pair in pairs:
            values = pair.target.double()
            sums[pair.kind] += torch.stack([torch.ones_like(values), values, values**2]).flatten(1).sum(1)
        seen = sums[:, 0] > 0
        count, total, squares = sums[seen].T
        mean = total / count
        deviation = (squares / count - mean**2).clamp(min=0).sqrt()
        if bool((deviation < 1e-6).any()):
            flat = (seen.nonzero().squeeze(1)[deviation < 1e-6]).tolist()
            raise BadValue(
                f"the targets of kind {flat[0]} are all one value; there is nothing to learn of it"
            )
        self.shift_K[seen], self.scale_K[seen] = mean.to(self.shift_K), deviation.to(self.scale_K)

    def loss(self, pair: Pair, generator: torch.Generator) -> Loss:
        """Squared error of the network's output on a stacked pair; its parts are those of its questions.

        Every kind counts alike, whatever its scale. Pairs that leap pay for a derivative beside, and count by
        their error over its own size (`weighed`).
        """
        if not self.leaps:
            return self._direct(pair, generator)
        far = torch.rand(len(pair.kind), generator=generator) < (1 - self.means) * self.leaps
        parts = [
            (rows.sum() / len(rows), part(_picked(pair, rows.to(pair.kind.device)), generator))
            for rows, part in ((~far, self._direct), (far, self._leaping))
            if rows.any()
        ]
        total = torch.stack([share * loss.total for share, loss in parts]).sum()
        return Loss(total, {name: value for _, loss in parts for name, value in loss.parts.items()})

    def _direct(self, pair: Pair, generator: torch.Generator) -> Loss:
        data = self._scaled(pair, pair.target)
        chance = torch.rand(2, len(data), generator=generator).to(data)
        asked = chance[0] < self.means / (1 - (1 - self.means) * self.leaps)
        t = torch.where(asked, 1.0, chance[1])
        noise = torch.randn(data.shape, generator=generator).to(data) * over(~asked, data)
        level = self.process.level(t, data)
        network = self.prediction.over(self._network(pair), self.process)
        output = network(level.mix(data, noise), t)
        error = (output - self.prediction.target(data, noise, level)).square().flatten(1).mean(1)
        parts = {"mean": error[asked], "sample": error[~asked]}
        return Loss(error.mean(), {name: part.detach().mean() for name, part in parts.items() if len(part)})

    def _leaping(self, pair: Pair, generator: torch.Generator) -> Loss:
        data = self._scaled(pair, pair.target)
        r, t = stretches(*torch.rand(2, len(data), generator=generator), share=1, generator=generator)
        error = mean_flow_error(self._average(pair), data, r.to(data), t.to(data), generator=generator)
        return Loss(weighed(error).mean(), {"leap": error.detach().mean()})

    @torch.no_grad()
    def mean(self, pair: Pair) -> Tensor:
        """(B, C, *axes): the mean of the targets of a stacked question, in one evaluation."""
        state = torch.zeros_like(pair.target)
        return self._unscaled(pair, self._denoiser(pair)(state, state.new_ones(len(state))))

    @torch.no_grad()
    def sample(self, pair: Pair, noise: Tensor, times: Tensor, *, walk: Walk = ddim) -> Tensor:
        """(B, C, *axes): one draw of the targets of a stacked question.

        Args:
            noise: ε (B, C, *axes).
            times: (S + 1,), falling to 0. From 1 the target has no influence; from less, the draw is near it.
        """
        if times[0] == 0:
            return pair.target
        # A walk alone holds its state, and nobody the noise: large signals are many, and each is large.
        walked = walk(self._denoiser(pair), self.process, self._start(pair, noise, times[:1]), times)
        del noise
        return self._unscaled(pair, deque(walked, maxlen=1).pop())

    @torch.no_grad()
    def leap(self, pair: Pair, noise: Tensor, times: Tensor) -> Tensor:
        """`sample` by the average velocity: one step will do, a few are better.

        Raises `BadValue` if the Restorer has not learned it.
        """
        if not self.leaps:
            raise BadValue("this Restorer has not learned to leap; draw by another sampler")
        if times[0] == 0:
            return pair.target
        walked = jump(self._average(pair), self._start(pair, noise, times[:1]), times)
        del noise
        return self._unscaled(pair, deque(walked, maxlen=1).pop())

    def _average(self, pair: Pair) -> Average:
        return lambda state, r, t: self.network(
            state, torch.stack([t, t - r], 1), pair.condition, pair.context
        )

    def _start(self, pair: Pair, noise: Tensor, time: Tensor) -> Tensor:
        data = self._scaled(pair, pair.target)
        return self.process.level(time.to(data).expand(len(data)), data).mix(data, noise.to(data))

    def _denoiser(self, pair: Pair) -> Mean:
        return denoiser(self._network(pair), self.process, self.prediction)

    def _network(self, pair: Pair) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda state, t: self.network(state, t, pair.condition, pair.context)

    def _scaled(self, pair: Pair, target: Tensor) -> Tensor:
        return (target - over(self.shift_K[pair.kind], target)) / over(self.scale_K[pair.kind], target)

    def _unscaled(self, pair: Pair, data: Tensor) -> Tensor:
        return over(self.shift_K[pair.kind], data) + over(self.scale_K[pair.kind], data) * data


def _picked(pair: Pair, rows: Tensor) -> Pair:
    return Pair(*(getattr(pair, f.name)[rows] for f in fields(Pair)))
