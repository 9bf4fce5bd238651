"""The Restorer: a Gaussian diffusion process in signal space with a conditional network.

Shapes: B batch, C channels, K subtasks.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from functools import partial

import torch
from torch import Tensor, nn

from modaloom.core.distributed import SINGLE_PROCESS, Distributed, Rows
from modaloom.core.errors import BadValue, check_range
from modaloom.core.frame import Frame, Frames, finished, last, single
from modaloom.core.types import Loss
from modaloom.diffusion.gaussian_process import GaussianProcess
from modaloom.diffusion.level import expand_like
from modaloom.diffusion.mean_flow import (
    AverageVelocity,
    adaptive_weighting,
    mean_flow_error,
    sample_intervals,
)
from modaloom.diffusion.prediction import NoiseSchedule, Prediction, SignalDenoiser, denoiser
from modaloom.diffusion.samplers.continuous.ddim import ddim
from modaloom.diffusion.samplers.continuous.mean_flow import mean_flow
from modaloom.restorer.example import ConditionalExample

SamplerFn = Callable[[SignalDenoiser, NoiseSchedule, Tensor, Tensor], Iterator[Tensor]]
"""Denoiser, process, the state at the first time, times → the state at each later time."""


class Restorer(nn.Module):
    """Posterior mean and posterior samples of a target, given a condition (`ConditionalExample`).

    `mean` returns E[target | condition] in one evaluation: the minimum of the squared error, and smoother
    than real signals. `sample` returns a posterior sample: as detailed as real signals, with twice the mean's
    squared error if the model is perfect. The two must not be compared by squared error.

    Both use one network, (state, t, condition, context) → output. At t = 1 the state is independent of the
    target, so a state of zeros selects the mean there; sampling starts from noise.

    Args:
        network: gets condition and context unchanged from the example.
        process: has no signal left at t = 1.
        prediction: parametrization of the network's output; not "eps", which is uninformative at t = 1.
        num_tasks: K; each subtask has its own shift and scale, see `fit_normalizer`.
        mean_prob: fraction of the training examples that train the mean, in [0, 1].
        mean_flow_prob: fraction of the others, in [0, 1], that train the average velocity over an interval,
            which `sample_mean_flow` integrates in a few steps. Requires rectified flow, velocity prediction
            and a network that is conditioned on the interval's length (`ConditioningEmbedding`).
        input_spec: channels of target and condition, and features of the context; None: not checked.

    Raises:
        BadValue: a fraction outside [0, 1].
    """

    def __init__(
        self,
        network: nn.Module,
        process: GaussianProcess,
        prediction: Prediction,
        *,
        num_tasks: int = 1,
        mean_prob: float = 0.5,
        mean_flow_prob: float = 0.0,
        input_spec: tuple[int, int, int] | None = None,
    ) -> None:
        super().__init__()
        self.input_spec = input_spec
        check_range("mean_prob", mean_prob, 0, 1)
        check_range("mean_flow_prob", mean_flow_prob, 0, 1)
        self.network, self.process, self.prediction = network, process, prediction
        self.mean_prob, self.mean_flow_prob = mean_prob, mean_flow_prob
        self.shift_K: Tensor
        self.scale_K: Tensor
        self.register_buffer("shift_K", torch.zeros(num_tasks))
        self.register_buffer("scale_K", torch.ones(num_tasks))

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Weight matrices and kernels of the network's hidden layers, if it lists them."""
        named: list[nn.Parameter] = getattr(self.network, "hidden_matrices", list)()
        return named

    @property
    def modes(self) -> tuple[str, ...]:
        """The trained modes, the default first: mean | sample."""
        return (*["mean"][: self.mean_prob > 0], *["sample"][: self.mean_prob < 1])

    def check(self, example: ConditionalExample) -> None:
        """Raises `BadValue` for a single example whose shape is not that of the training."""
        shape = len(example.target), len(example.condition), example.context.shape[-1]
        if self.input_spec is not None and shape != self.input_spec:
            what = "channels wanted, channels shown, features told"
            raise BadValue(f"this question has {shape} {what}; the run was trained for {self.input_spec}")

    def fit_normalizer(self, examples: Iterable[ConditionalExample]) -> None:
        """Sets shift and scale to mean and standard deviation of each subtask's targets, computed in float64.

        `examples` are unbatched. Subtasks without examples keep their values. Raises `BadValue` if the
        targets of a subtask are constant.
        """
        sums = torch.zeros(len(self.scale_K), 3, dtype=torch.float64)
        for example in examples:
            values = example.target.double()
            sums[example.task_index] += (
                torch.stack([torch.ones_like(values), values, values**2]).flatten(1).sum(1)
            )
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

    def loss(
        self,
        example: ConditionalExample,
        generator: torch.Generator,
        distributed: Distributed = SINGLE_PROCESS,
    ) -> Loss:
        """Squared error of the network's output on a batch, with one loss part for each objective.

        Targets are normalized, so subtasks have equal weight whatever their scale. Mean-flow examples also
        need a Jacobian-vector product, and are weighted by the inverse of their own error
        (`adaptive_weighting`).

        Args:
            example: the batch, or this rank's part of it.
            generator: CPU generator of levels and noise, of one seed on all ranks.
            distributed: whose examples count, with those of this rank.
        """
        rows = distributed.rows(len(example.task_index))
        if not self.mean_flow_prob:
            return self._denoising_loss(example, generator, distributed, rows)
        mean_flow_share = (1 - self.mean_prob) * self.mean_flow_prob
        use_mean_flow = torch.rand(rows.total, generator=generator) < mean_flow_share
        parts = []
        for chosen, part in ((~use_mean_flow, self._denoising_loss), (use_mean_flow, self._mean_flow_loss)):
            if chosen.any():
                own = _select_rows(example, rows.own(chosen).to(example.task_index.device))
                loss = part(own, generator, distributed, rows.among(chosen))
                if n := distributed.count(len(own.task_index)):
                    parts.append((n / distributed.count(rows.n), loss))
        total = torch.stack([share * loss.total for share, loss in parts]).sum()
        return Loss(total, {name: value for _, loss in parts for name, value in loss.parts.items()})

    def _denoising_loss(
        self, example: ConditionalExample, generator: torch.Generator, distributed: Distributed, rows: Rows
    ) -> Loss:
        data = self._normalize(example, example.target)
        chance = rows.own(torch.rand(2, rows.total, generator=generator).T).T.to(data)
        is_mean = chance[0] < self.mean_prob / (1 - (1 - self.mean_prob) * self.mean_flow_prob)
        t = torch.where(is_mean, 1.0, chance[1])
        noise = _noise(data, generator, rows) * expand_like(~is_mean, data)
        level = self.process.level(t, data)
        network = self.prediction.wrap(self._conditioned_network(example), self.process)
        # A rank may have no example of this objective, and a network needs one.
        output = network(level.mix(data, noise), t) if rows.n else data
        error = (output - self.prediction.target(data, noise, level)).square().flatten(1).mean(1)
        parts = {"mean": error[is_mean], "sample": error[~is_mean]}
        logged = {
            name: distributed.mean(part.detach())
            for name, part in parts.items()
            if distributed.count(len(part))
        }
        return Loss(distributed.mean(error), logged)

    def _mean_flow_loss(
        self, example: ConditionalExample, generator: torch.Generator, distributed: Distributed, rows: Rows
    ) -> Loss:
        data = self._normalize(example, example.target)
        intervals = sample_intervals(
            *torch.rand(2, rows.total, generator=generator), share=1, generator=generator
        )
        r, t = (rows.own(time).to(data) for time in intervals)
        noise = _noise(data, generator, rows)
        average = self._average_velocity(example)
        error = mean_flow_error(average, data, noise, r, t) if rows.n else data.new_zeros(0)
        parts = {"leap": distributed.mean(error.detach())}
        return Loss(distributed.mean(adaptive_weighting(error)), parts)

    @torch.no_grad()
    def mean(self, example: ConditionalExample) -> Tensor:
        """Returns the posterior mean of a batch, (B, C, *axes), in one evaluation of the network."""
        state = torch.zeros_like(example.target)
        return self._denormalize(example, self._denoiser(example)(state, state.new_ones(len(state))))

    def sample(
        self, example: ConditionalExample, noise: Tensor, times: Tensor, *, sampler: SamplerFn = ddim
    ) -> Tensor:
        """`stream` to its end: returns a posterior sample of a batch, (B, C, *axes)."""
        frames = self.stream(example, noise, times, sampler=sampler)
        del noise
        return finished(frames)

    def sample_mean_flow(self, example: ConditionalExample, noise: Tensor, times: Tensor) -> Tensor:
        """`stream_mean_flow` to its end: returns a posterior sample of a batch, (B, C, *axes)."""
        frames = self.stream_mean_flow(example, noise, times)
        del noise
        return finished(frames)

    @torch.no_grad()
    def stream(
        self, example: ConditionalExample, noise: Tensor, times: Tensor, *, sampler: SamplerFn = ddim
    ) -> Frames[Tensor]:
        """Draws a posterior sample of a batch, (B, C, *axes); yields after each step.

        The preview is the denoiser's estimate of the target at the present state, at the price of an
        evaluation.

        Args:
            example: the batch; its target is the initial estimate if times[0] < 1.
            noise: ε (B, C, *axes), standard normal.
            times: (S + 1,), falling to 0. From 1 the target has no influence; from less, the sample stays
                near it.
            sampler: integrates the reverse process.
        """
        if times[0] == 0:
            return single(example.target)
        # Only the sampler keeps a reference to the state, and nothing to the noise: signals may be large.
        denoise = self._denoiser(example)
        states = sampler(denoise, self.process, self._initial_state(example, noise, times[:1]), times)
        return self._frames(example, states, times, denoise)

    @torch.no_grad()
    def stream_mean_flow(self, example: ConditionalExample, noise: Tensor, times: Tensor) -> Frames[Tensor]:
        """`stream` by the average velocity (mean flow): one step is enough, a few are better.

        The preview is the sample that a single step from the present state to t = 0 gives.

        Raises `BadValue` if the Restorer was not trained with mean flow.
        """
        if not self.mean_flow_prob:
            raise BadValue("this Restorer has not learned mean flow; take another sampler")
        if times[0] == 0:
            return single(example.target)
        average = self._average_velocity(example)
        states = mean_flow(average, self._initial_state(example, noise, times[:1]), times)
        return self._frames(
            example, states, times, lambda x, t: x - expand_like(t, x) * average(x, torch.zeros_like(t), t)
        )

    @torch.no_grad()
    def _frames(
        self, example: ConditionalExample, states: Iterator[Tensor], times: Tensor, clean: SignalDenoiser
    ) -> Frames[Tensor]:
        total = len(times) - 1
        for step, state in enumerate(states, start=1):
            if step == total:
                yield last(self._denormalize(example, state), total=total)
            else:
                yield Frame(step, total, partial(self._estimate, example, clean, state, times[step]))

    @torch.no_grad()
    def _estimate(
        self, example: ConditionalExample, clean: SignalDenoiser, state: Tensor, time: Tensor
    ) -> Tensor:
        return self._denormalize(example, clean(state, time.to(state).expand(len(state))))

    def _average_velocity(self, example: ConditionalExample) -> AverageVelocity:
        return lambda state, r, t: self.network(
            state, torch.stack([t, t - r], 1), example.condition, example.context
        )

    def _initial_state(self, example: ConditionalExample, noise: Tensor, time: Tensor) -> Tensor:
        data = self._normalize(example, example.target)
        return self.process.level(time.to(data).expand(len(data)), data).mix(data, noise.to(data))

    def _denoiser(self, example: ConditionalExample) -> SignalDenoiser:
        return denoiser(self._conditioned_network(example), self.process, self.prediction)

    def _conditioned_network(self, example: ConditionalExample) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda state, t: self.network(state, t, example.condition, example.context)

    def _normalize(self, example: ConditionalExample, target: Tensor) -> Tensor:
        return (target - expand_like(self.shift_K[example.task_index], target)) / expand_like(
            self.scale_K[example.task_index], target
        )

    def _denormalize(self, example: ConditionalExample, data: Tensor) -> Tensor:
        return (
            expand_like(self.shift_K[example.task_index], data)
            + expand_like(self.scale_K[example.task_index], data) * data
        )


def _noise(data: Tensor, generator: torch.Generator, rows: Rows) -> Tensor:
    """ε for these rows, in the shape, dtype and device of `data`."""
    return rows.own(torch.randn(rows.total, *data.shape[1:], generator=generator)).to(data)


def _select_rows(example: ConditionalExample, rows: Tensor) -> ConditionalExample:
    return ConditionalExample(*(getattr(example, f.name)[rows] for f in fields(ConditionalExample)))
