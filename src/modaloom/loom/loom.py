"""Loom: any subset of the streams → any subset, in codes.

One transformer denoises the codes of all streams, each at its own noise level: a given stream has t = 0, an
absent stream is not in the canvas, target streams go from t = 1 to t = 0.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from modaloom.core.distributed import SINGLE_PROCESS, Distributed, Rows
from modaloom.core.errors import check_choice
from modaloom.core.frame import Frame, Frames, finished
from modaloom.core.types import Canvas, CodeDenoiser, CodeShape, Field, Logits, Loss
from modaloom.diffusion import PROCESSES
from modaloom.diffusion.categorical import categorical
from modaloom.diffusion.guidance import guide
from modaloom.diffusion.noise import Noise, prefix_uniforms, uniforms
from modaloom.diffusion.samplers import (
    CODE_SAMPLERS,
    DEFAULT_SAMPLER,
    UNCONDITIONAL_SAMPLER,
    CodeSampler,
    resolve_sampler,
)
from modaloom.loom.canvas import NOTHING, as_given, build_canvas, shortest, training_canvas
from modaloom.loom.config import CodeSamplingConfig, LoomConfig
from modaloom.loom.fields import cut_field, drawn_field, given_field, known_field, own_field, wanted_field
from modaloom.loom.layout import FieldLayout, length_field, stream_of
from modaloom.loom.length_bound import length_nats
from modaloom.loom.mixture import draw_kept, draw_lengths, draw_noise, draw_streams
from modaloom.networks.transformer import CanvasTransformer


class Loom(nn.Module):
    """Diffusion process and network over the codes of named streams.

    Args:
        shapes: stream → code shape.
        tables: stream → tokenizer name; streams of one tokenizer share embeddings and heads.
        vectors: tokenizer name → (Q, K, E) codebook vectors, for tokenizers that have them.
        config: network size, process, training mixture and default sampling.

    Raises:
        BadValue: the mixture names an unknown stream.
    """

    def __init__(
        self,
        shapes: Mapping[str, CodeShape],
        tables: Mapping[str, str],
        vectors: Mapping[str, Tensor],
        config: LoomConfig,
    ) -> None:
        super().__init__()
        self.shapes, self.config = dict(shapes), config
        self.layout = FieldLayout(self.shapes)
        for name in config.mixture.wanted:
            check_choice("stream", name, shapes)
        self.process = PROCESSES[config.process]()
        self.network = CanvasTransformer(
            self.layout.shapes,
            self.layout.tables(tables),
            self.layout.vectors(tables, vectors),
            width=config.width,
            depth=config.num_layers,
            heads=config.num_heads,
            encoder_decoder=config.encoder_decoder,
            time_conditioned=self.process.time_conditioned,
        )

    def forward(self, canvas: Canvas, augmented: Tensor | None = None) -> Logits:
        """Denoiser: canvas → posterior logits of the clean codes; `augmented` as in `loss`."""
        logits: Logits = self.network(canvas, augmented)
        return {name: self.process.to_posterior_logits(logits[name], field) for name, field in canvas.items()}

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Weight matrices that Muon may orthogonalize."""
        return self.network.hidden_matrices()

    def loss(
        self,
        codes: Mapping[str, Tensor],
        present: Mapping[str, Tensor],
        generator: torch.Generator,
        distributed: Distributed = SINGLE_PROCESS,
        augmented: Tensor | None = None,
    ) -> Loss:
        """Weighted denoising loss, in nats, of the target streams of a random canvas.

        Args:
            codes: stream → int64 (B, L, Q).
            present: stream → bool (B,), False where the sample lacks the stream.
            generator: CPU generator of the canvas and the noise, of one seed on all ranks.
            distributed: whose samples count, with those of this rank.
            augmented: bool (B,), True where the codes are of an augmented variant, which the network is told;
                None: nowhere.
        """
        mixture = self.config.mixture
        names = draw_streams(self.shapes, mixture, generator)
        here = {n: present[n] for n in names}
        rows = distributed.rows(len(codes[names[0]]))
        level = draw_noise(self.shapes, here, mixture, generator, rows)
        clean = training_canvas(self.layout, {n: codes[n] for n in names}, present, level)
        times = {key: level[stream_of(key)] for key in clean}
        for name in [name for name in names if self.shapes[name].variable]:
            asked = draw_lengths(level[name], generator, rows)
            times[length_field(name)] = asked.to(level[name])
            clean[name] = replace(clean[name], valid=clean[name].valid & ~asked[:, None])
        for name in names:
            kept = draw_kept(clean[name].valid, self.shapes[name].row_size, mixture, generator, rows)
            clean[name] = replace(clean[name], known=clean[name].known | kept[..., None])
        canvas = {key: self._noised(key, f, times[key], generator, rows) for key, f in clean.items()}
        logits = self(canvas, augmented)
        total = torch.zeros((), device=codes[names[0]].device)
        nats = dict.fromkeys(names, total)
        for key, f in canvas.items():
            name = stream_of(key)
            mean_B = self.process.training_loss(logits[key], clean[key].state, f)
            mean_B = mean_B * ((f.t > 0) & present[name])
            total = total + distributed.mean(mean_B)
            changed = (f.state != clean[key].state) & f.valid[..., None]
            hidden = distributed.sum(changed.any((1, 2)).sum()).clamp_min(1)
            share = self.layout.shapes[key].num_codes / self.layout.num_codes(name)
            nats[name] = nats[name] + share * distributed.sum(mean_B.detach().sum()) / hidden
        return Loss(total, {f"bits.{name}": value / math.log(2) for name, value in nats.items()})

    def canvas(
        self,
        given: Mapping[str, Tensor],
        want: Sequence[str],
        n: int,
        kept: Mapping[str, Tensor] = NOTHING,
    ) -> Canvas:
        """`build_canvas` of the streams, on the Loom's device."""
        device = next(self.parameters()).device
        return build_canvas(self.layout, given, want, n, kept, device=device)

    def sample(self, canvas: Canvas, options: CodeSamplingConfig, noise: Noise) -> dict[str, Tensor]:
        """`stream` to its end; returns stream → codes (B, L, Q) of all streams."""
        return finished(self.stream(canvas, options, noise))

    @torch.no_grad()
    def stream(self, canvas: Canvas, options: CodeSamplingConfig, noise: Noise) -> Frames[dict[str, Tensor]]:
        """Sample all unknown codes of the canvas, at least one; yields after each of `num_steps` steps.

        Sampling starts at the t of each unknown field (`Process.start`). The result is stream → codes (B, L,
        Q) of all streams, and so is the preview, without the target streams that are still to come: unknown
        codes are the denoiser's most likely ones, at the price of one more step.

        Target streams are sampled sequentially, short ones first, each conditioned on the previous ones: the
        chain rule, one of the orders that masked diffusion allows. If they were sampled together, each would
        be fixed while the others are still partly masked. The shared codes of a stream are sampled before its
        other codes, one depth per step, and before them its length, which decides how many there are.

        Raises `BadValue` for a sampler that does not support the process.
        """
        if any(self.layout.shapes[key].variable for key in canvas):
            noise = replace(noise, draw=prefix_uniforms)
        done = {key: f for key, f in canvas.items() if bool(f.known.all())}
        unknown = canvas.keys() - done.keys()
        step, total = 0, self.num_steps(unknown, options)
        names = {stream_of(key) for key in unknown}
        for name in sorted(names, key=lambda name: (self.shapes[name].num_codes, name)):
            asked = {
                key: self.process.start(canvas[key], noise=noise)
                for key in self.layout.fields_of(name)
                if key not in done
            }
            own = {key: own_field(done[key]) for key in self.layout.fields_of(name) if key in done}
            for state in self._states(name, done | own, asked, canvas, options, noise):
                step += 1
                result = self._join(state) if step == total else None
                yield Frame(step, total, partial(self._most_likely, state, options), result, name)
            done |= {key: given_field(state[key]) for key in asked}

    def num_steps(self, unknown: Collection[str], options: CodeSamplingConfig) -> int:
        """The number of steps of `stream` for these unknown fields; see `FieldLayout.fields_of`."""
        first = sum(self.layout.shapes[key].depth for key in unknown if key != stream_of(key))
        return options.steps * len({stream_of(key) for key in unknown}) + first

    def _states(
        self, name: str, done: Canvas, asked: Canvas, given: Canvas, options: CodeSamplingConfig, noise: Noise
    ) -> Iterator[Canvas]:
        """Sample the fields `asked` of the stream of a request, `given`; yields the canvas at each step."""
        times = torch.linspace(float(asked[name].t.max()), 0, options.steps + 1)
        denoise = self.guided(options.guidance)
        draw = partial(categorical, temperature=options.temperature, top_p=options.top_p)
        sampler = self._sampler(options, unconditional=not done)
        asked = self._fitted(name, asked)
        for key in [key for key in self.layout.fields_of(name) if key in asked and key != name]:
            for depth in range(self.layout.shapes[key].depth):
                logits = denoise(done | asked)[key][..., depth, :]
                if key == length_field(name):
                    logits[..., : shortest(asked[name], self.shapes[name])] = -torch.inf
                codes = draw(logits, noise.uniform(1).to(logits.device))
                codes = self.process.carry_over(codes, asked[key].state[..., depth])
                codes = as_given(codes, given, asked, key, depth)
                asked = self._fitted(name, asked | {key: drawn_field(asked[key], codes, depth)})
                yield done | asked
        yield from sampler.fns[self.config.process](
            denoise,
            self.process,
            done | asked,
            times,
            noise=noise,
            temperature=options.temperature,
            top_p=options.top_p,
            **{option: getattr(options, option) for option in sampler.options},
        )

    def _fitted(self, name: str, asked: Canvas) -> Canvas:
        """The fields of a stream, its codes limited to its length; none while that is unknown."""
        if (length := length_field(name)) not in asked:
            return asked
        if bool((asked[length].t > 0).any()):
            return asked | {name: replace(asked[name], valid=torch.zeros_like(asked[name].valid))}
        filled = self.layout.filled({key: f.state for key, f in asked.items()})[name]
        return asked | {name: cut_field(replace(asked[name], valid=filled), self.layout.shapes[name])}

    @torch.no_grad()
    def _most_likely(self, canvas: Canvas, options: CodeSamplingConfig) -> dict[str, Tensor]:
        """Stream → codes (B, L, Q): those of the canvas, its noisy ones replaced by the most likely."""
        noisy = {key: f for key, f in canvas.items() if bool((f.t > 0).any())}
        logits = self.guided(options.guidance)(canvas) if noisy else {}
        clean = {key: replace(f, state=self.process.most_likely(logits[key], f)) for key, f in noisy.items()}
        return self._join(canvas | clean)

    def _join(self, canvas: Canvas) -> dict[str, Tensor]:
        return self.layout.join({key: f.state for key, f in canvas.items()})

    def guided(self, scale: float) -> CodeDenoiser:
        """The denoiser with classifier-free guidance of this scale; 1 is the plain conditional."""
        return guide(self, scale)

    @torch.no_grad()
    def nelbo(
        self,
        codes: Mapping[str, Tensor],
        wanted: Sequence[str],
        given: Sequence[str],
        *,
        generator: torch.Generator,
        points: int = 32,
    ) -> dict[str, Tensor]:
        """Upper bound on −log p(wanted | given), as one summand in nats (B,) per stream of `wanted`.

        Of variable streams it is −log p(lengths | given), with an evaluation for each length, plus the bound
        of the codes given the lengths.

        Args:
            codes: stream → int64 (B, L, Q), for all streams of `wanted` and `given`.
            wanted: target streams.
            given: conditioning streams.
            generator: generator of the noise levels and the noise.
            points: noise levels per sample; see `Process.nelbo`.
        """
        fields = self.layout.split({name: codes[name] for name in self.shapes if name in {*given, *wanted}})
        filled = self.layout.filled(fields)
        canvas = {
            key: (known_field if stream_of(key) in given else wanted_field)(
                state, filled[key], self.layout.shapes[key]
            )
            for key, state in fields.items()
        }
        asked = [key for key in fields if stream_of(key) in wanted and key != length_field(stream_of(key))]
        nats = self.process.nelbo(self, canvas, asked, points=points, generator=generator)
        nats |= length_nats(self, self.process, canvas, wanted, generator)
        return {
            name: torch.stack([nats[key] for key in self.layout.fields_of(name)]).sum(0) for name in wanted
        }

    def _sampler(self, options: CodeSamplingConfig, *, unconditional: bool) -> CodeSampler:
        name, default = (
            (options.unconditional_sampler, UNCONDITIONAL_SAMPLER)
            if unconditional
            else (options.sampler, DEFAULT_SAMPLER)
        )
        return CODE_SAMPLERS[resolve_sampler(name, self.config.process, default)]

    def _noised(self, key: str, clean: Field, t: Tensor, generator: torch.Generator, rows: Rows) -> Field:
        """The field at t (B,). Its noise is that of the longest possible sample, whatever the batch."""
        shape = self.layout.shapes[key]
        uniform = rows.own(uniforms(rows.total, shape.num_positions, shape.depth, generator=generator))
        uniform = uniform[:, : clean.state.shape[1]].to(clean.state.device)
        return self.process.advance(clean, t, uniform=uniform)
