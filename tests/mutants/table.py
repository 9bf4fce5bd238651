"""Every guarded formula, broken. A mutant that survives is a hole in the oracles."""

from augmented import AUGMENTED
from budgets import BUDGETS
from clinical import CLINICAL
from composed import COMPOSED
from continuous import CONTINUOUS
from depths import DEPTHS
from explained import EXPLAINED
from filmed import CLIPS
from information import INFORMATION
from judged import JUDGED, METRICS
from long_sounds import LONG_SOUNDS
from long_texts import LONG_TEXTS
from mended import MENDED
from moving import MOVING
from mutant import Mutant
from pages import REPORT
from parallel import PARALLEL
from pictures import PICTURES
from probable import PROBABLE
from restoring import RESTORING
from scenes import WORLD
from sharded import SHARDED
from signals import SIGNALS
from sounds import SOUNDS
from spoken import SPOKEN
from tokenizing import TOKENIZING

Q, N = "oracles/test_quantizers.py", "oracles/test_quantizers_nearest.py"
BOUND, SAMPLING = "oracles/test_masked_bound.py", "oracles/test_sampler_conditionals.py"
NOISE = "oracles/test_categorical.py"
UNIFORM, DISCRETE = "oracles/test_uniform_bound.py", "oracles/test_discrete_time.py"

QUANTIZERS = (
    Mutant(
        "β on the codebook's term instead of the encoder's (Q1)",
        "quantizers/vq.py",
        "self.commitment * commitment + self.codebook.loss(z.detach(), e, distributed)",
        "commitment + self.commitment * self.codebook.loss(z.detach(), e, distributed)",
        Q,
    ),
    Mutant(
        "no stop-gradient on the code in the commitment (Q1)",
        "quantizers/vq.py",
        "squared_error(z, e.detach(), distributed)",
        "squared_error(z, e, distributed)",
        Q,
    ),
    Mutant(
        "no stop-gradient on z in the codebook's loss (Q1)",
        "quantizers/vq.py",
        "self.codebook.loss(z.detach(), e, distributed)",
        "self.codebook.loss(z, e, distributed)",
        Q,
    ),
    Mutant(
        "the loss a mean over vectors, not values (Q1)",
        "quantizers/error.py",
        "max(1, total * a.shape[1])",
        "max(1, total)",
        Q,
    ),
    Mutant(
        "a revived code keeps its dead count (Q2)",
        "quantizers/codebook.py",
        "        self.count[codes] = counts\n",
        "",
        Q,
    ),
    Mutant(
        "revival that moves nothing (Q2)",
        "quantizers/codebook.py",
        "        self.vectors[codes] = self.surface(rows)\n",
        "",
        Q,
    ),
    Mutant(
        "the k-means start forgets its counts (Q3)",
        "quantizers/codebook.py",
        "self.count[:first] = counts",
        "self.count[:first] = 1",
        Q,
    ),
    Mutant(
        "k-means divides by one count too many",
        "quantizers/kmeans.py",
        "counts.clamp(min=1)[:, None]",
        "(counts + 1)[:, None]",
        "quantizers/test_kmeans.py",
    ),
    Mutant(
        "codes decay to the origin without hits (Q4)",
        "quantizers/codebook.py",
        "        tiny = torch.finfo(self.count.dtype).tiny\n",
        "        tiny = torch.finfo(self.count.dtype).tiny\n        self.vectors *= self.decay\n",
        Q,
    ),
    Mutant(
        "the moving average steps by γ instead of 1 − γ (Q4)",
        "quantizers/codebook.py",
        "pull * ((1 - self.decay) /",
        "pull * (self.decay /",
        Q,
    ),
    Mutant(
        "an absolute threshold of death (Q5)",
        "quantizers/codebook.py",
        "count[rarest] < self.dead_code_threshold * mean",
        "count[rarest] < self.dead_code_threshold",
        Q,
    ),
    Mutant(
        "no bound on how many codes revive (Q5)",
        "quantizers/codebook.py",
        "[: min(max_restarts, total)]",
        "[:total]",
        Q,
    ),
    Mutant(
        "stages after the first see a detached residual (Q6)",
        "quantizers/residual.py",
        "residual = residual - parts[-1].z_q.detach()",
        "residual = (residual - parts[-1].z_q).detach()",
        Q,
    ),
    Mutant(
        "the residual keeps the straight-through gradient, which cancels (Q6)",
        "quantizers/residual.py",
        "residual = residual - parts[-1].z_q.detach()",
        "residual = residual - parts[-1].z_q",
        Q,
    ),
    Mutant(
        "straight-through as z + (q − z) (Q9)",
        "quantizers/base.py",
        "        return q\n",
        "        return z + (q - z)\n",
        Q,
    ),
    Mutant(
        "no straight-through gradient (Q1)",
        "quantizers/base.py",
        "return grads[0], None",
        "return torch.zeros_like(grads[0]), None",
        Q,
    ),
    Mutant(
        "the loss averaged over padding (Q11)",
        "quantizers/vq.py",
        "loss = self._loss(counted, e[counts], distributed)",
        "loss = self._loss(rows, e, distributed)",
        Q,
    ),
    Mutant(
        "the codebook learns from padding (Q11)",
        "quantizers/vq.py",
        "learnable(distributed, seen, codes[counts])",
        "learnable(distributed, rows.detach(), codes)",
        Q,
    ),
    Mutant(
        "‖e‖² instead of ½‖e‖² in the search (Q13)",
        "quantizers/nearest.py",
        "mul_(-0.5)",
        "mul_(-1.0)",
        N,
    ),
    Mutant(
        "of equal blocks the last one (Q13)",
        "quantizers/nearest.py",
        "best = blocks.amax(2).argmax(1)",
        "best = K // BLOCK_SIZE - 1 - blocks.amax(2).flip(1).argmax(1)",
        N,
    ),
    Mutant(
        "the shortlist's bound without the rounding of z (Q13)",
        "quantizers/shortlist.py",
        "away_N * self.longest_near + ",
        "",
        N,
    ),
    Mutant(
        "the shortlist's bound without the rounding of the codes (Q13)",
        "quantizers/shortlist.py",
        " + norm_N * self.farthest",
        "",
        N,
    ),
    Mutant(
        "the shortlist's bound without that of the squares (Q13)",
        "quantizers/shortlist.py",
        "parts = 2**-17 *",
        "parts = 0 *",
        N,
    ),
    Mutant(
        "the shortlist's bound used once instead of twice (Q13)",
        "quantizers/shortlist.py",
        "2 * error_N",
        "error_N / 8",
        N,
    ),
    Mutant(
        "the shortlist decided in bfloat16 (Q13)",
        "quantizers/shortlist.py",
        ".sum(1) + self.bias[code_P]",
        ".sum(1).bfloat16().float() + self.bias[code_P]",
        N,
    ),
)

DIFFUSION = (
    Mutant(
        "the bound without 1/t (D7)",
        "diffusion/schedules.py",
        "return self.power / t",
        "return self.power * torch.ones_like(t)",
        BOUND,
    ),
    Mutant(
        "the bound divided by the number of masked codes (D7)",
        "diffusion/masked.py",
        "        # At t = 0, 0 · ∞",
        "        nats = nats / frontier.masked.sum(1).clamp_min(1)\n        # At t = 0, 0 · ∞",
        BOUND,
    ),
    Mutant(
        "one weight a position, however many depths are masked (D7)",
        "diffusion/masked.py",
        "        nats = (frontier.masked * frontier.nats(logits, codes)).sum(1)\n        # At t = 0, 0 · ∞",
        "        nats = frontier.nats(logits, codes).sum(1)\n        # At t = 0, 0 · ∞",
        BOUND,
    ),
    Mutant(
        "times that never reach the last stratum (D7)",
        "diffusion/process.py",
        "/ points\n            noisy",
        "/ (points + 1)\n            noisy",
        BOUND,
    ),
    Mutant(
        "α ends above 0 (D8)",
        "diffusion/schedules.py",
        "return 1 - t**self.power",
        "return 1 - 0.999 * t**self.power",
        BOUND,
    ),
    Mutant(
        "the cosine's rate is half of its derivative (D7)",
        "diffusion/schedules.py",
        "return (math.pi / 2) / torch.tan(angle)",
        "return (math.pi / 4) / torch.tan(angle)",
        BOUND,
    ),
    Mutant(
        "the posterior reveals with the wrong share (D9)",
        "diffusion/masked.py",
        "masked = torch.cat([probabilities * (1 - stay), stay",
        "masked = torch.cat([probabilities * stay, (1 - stay)",
        BOUND,
    ),
    Mutant(
        "a random code is never the last one, so noise leaks the data (D8)",
        "diffusion/uniform.py",
        "rescaled = (uniform - keep_prob).clamp_min(0) / (1 - keep_prob)",
        "rescaled = (uniform - keep_prob).clamp_min(0) / (1.5 - keep_prob)",
        DISCRETE,
    ),
    Mutant(
        "uniform noise that forgets how noisy it was already (D9)",
        "diffusion/uniform.py",
        "keep_prob = self.stay(field.t, t)[:, None, None]",
        "keep_prob = self.stay(torch.zeros_like(t), t)[:, None, None]",
        DISCRETE,
    ),
    Mutant(
        "masks that forget how many there were already (D9)",
        "diffusion/masked.py",
        "self.schedule.alpha(t) / self.schedule.alpha(field.t)",
        "self.schedule.alpha(t) / self.schedule.alpha(0 * t)",
        DISCRETE,
    ),
    Mutant(
        "the uniform posterior without the step's own transition (D9)",
        "diffusion/uniform.py",
        "posterior = prior * (stay * own + (1 - stay) / size)",
        "posterior = prior",
        DISCRETE,
    ),
    Mutant(
        "the uniform posterior counts a code's own state twice (D9)",
        "diffusion/uniform.py",
        "own == 1, self.odds(t, size)[:, None, None, None], 1.0",
        "own == 1, 1.0, 1.0",
        DISCRETE,
    ),
    Mutant(
        "the uniform posterior at the wrong level (D9)",
        "diffusion/uniform.py",
        "(self.schedule.alpha(s.double()), self.stay(s, t))",
        "(self.schedule.alpha(t.double()), self.stay(s, t))",
        DISCRETE,
    ),
    Mutant(
        "the uniform bound without the rates of leaving (D7)",
        "diffusion/uniform.py",
        "nats = (-log_g_j).exp() - 1 / n_j + (divergence",
        "nats = (divergence",
        UNIFORM,
    ),
    Mutant(
        "the uniform bound's divergence over a code's own state, too (D7)",
        "diffusion/uniform.py",
        "(divergence - n_j.log() + log_g_j) / n_j",
        "divergence / n_j",
        UNIFORM,
    ),
    Mutant(
        "the uniform bound's rate without 1/K (D7)",
        "diffusion/uniform.py",
        "nan_to_num(nan=0.0, posinf=0.0) / size",
        "nan_to_num(nan=0.0, posinf=0.0)",
        UNIFORM,
    ),
    Mutant(
        "the uniform bound takes the mask's rate (D7)",
        "diffusion/uniform.py",
        "rate = self.schedule.decay(t)",
        "rate = self.schedule.rate(t)",
        UNIFORM,
    ),
    Mutant(
        "the uniform bound counts a code's own state twice (D7)",
        "diffusion/uniform.py",
        "self.from_posterior_logits(logits.double(), noisy).softmax(-1)",
        "logits.double().softmax(-1)",
        UNIFORM,
    ),
    Mutant(
        "the odds of a code's own state without K",
        "diffusion/uniform.py",
        "return 1 + size * alpha / (1 - alpha)",
        "return 1 + alpha / (1 - alpha)",
        UNIFORM,
    ),
    Mutant(
        "training counts given codes",
        "diffusion/uniform.py",
        "/ count(field).clamp_min(1)",
        "/ codes[0].numel()",
        UNIFORM,
    ),
    Mutant(
        "the cosine schedule decays at the rate at which masks return",
        "diffusion/schedules.py",
        "return (math.pi / 2) * torch.cos(angle) / self.alpha(t)",
        "return (math.pi / 2) / torch.tan(angle)",
        BOUND,
    ),
    Mutant(
        "a random order of positions, not of codes",
        "diffusion/samplers/first_hitting.py",
        "return candidates.masked.log() + gumbel(candidates.uniform)",
        "return gumbel(candidates.uniform)",
        "diffusion/test_first_hitting.py",
    ),
    Mutant(
        "a random order that prefers likely codes (D14)",
        "diffusion/samplers/first_hitting.py",
        "return candidates.masked.log() +",
        "return candidates.log_p.gather(-1, candidates.codes[..., None]).squeeze(-1) +",
        SAMPLING,
    ),
    Mutant(
        "uniform steps that start where they end (D14)",
        "diffusion/samplers/ancestral_uniform.py",
        "field.t.clamp_max(s), field.t)",
        "field.t.clamp_max(s), field.t.clamp_max(s))",
        SAMPLING,
    ),
    Mutant(
        "temperature on what a code's own state says",
        "diffusion/samplers/ancestral_uniform.py",
        "process.from_posterior_logits(logits.double(), field), temperature",
        "logits.double(), temperature",
        "diffusion/test_ancestral_uniform.py",
    ),
    Mutant(
        "masks at twice the rate (D9)",
        "diffusion/masked.py",
        "kept = field.known | (uniform < keep_prob[:, None, None])",
        "kept = field.known | (uniform < keep_prob[:, None, None] ** 2)",
        DISCRETE,
    ),
    Mutant(
        "a preview that guesses codes that are written",
        "diffusion/masked.py",
        "torch.where(field.state == MASK, logits.argmax(-1), field.state)",
        "logits.argmax(-1)",
        "loom/test_stream.py",
    ),
    Mutant(
        "a preview that guesses codes that are clean",
        "diffusion/uniform.py",
        "noisy = unknown(field) & (field.t > 0)[:, None, None]",
        "noisy = unknown(field)",
        "loom/test_stream.py",
    ),
    Mutant(
        "the Loom's own evidence left out",
        "loom/loom.py",
        "self.process.to_posterior_logits(logits[name], field)",
        "logits[name]",
        "loom/test_uniform_loom.py",
    ),
    Mutant(
        "a Loom that is not told the noise level",
        "networks/transformer.py",
        "self.time_embed(field.t)[:, None]",
        "self.time_embed(0 * field.t)[:, None]",
        "loom/test_uniform_loom.py",
    ),
    Mutant(
        "the remasking sampler steps ahead, not back (D14)",
        "diffusion/samplers/remasking.py",
        "return (field.t + remask * (field.t - s).clamp_min(0)).clamp_max(1)",
        "return (field.t - remask * (field.t - s).clamp_min(0)).clamp_max(1)",
        SAMPLING,
    ),
    Mutant(
        "float32 noise (D6)",
        "diffusion/noise.py",
        "return torch.rand(*shape, dtype=torch.float64, device",
        "return torch.rand(*shape, dtype=torch.float32, device",
        NOISE,
    ),
    Mutant(
        "draws from a float32 cumulative sum (D6)",
        "diffusion/categorical.py",
        "logits.double().softmax(-1).cumsum(-1)",
        "logits.float().softmax(-1).cumsum(-1).double()",
        NOISE,
    ),
    Mutant(
        "temperature multiplies (D6)",
        "diffusion/categorical.py",
        "logits.double() / temperature",
        "logits.double() * temperature",
        NOISE,
    ),
    Mutant(
        "top-p keeps one outcome too few",
        "diffusion/categorical.py",
        "outside = probabilities.cumsum(-1) - probabilities >= top_p",
        "outside = probabilities.cumsum(-1) >= top_p",
        NOISE,
    ),
    Mutant(
        "guidance with the sign turned (D5)",
        "diffusion/guidance.py",
        "log_u + scale * (log_c - log_u)",
        "log_u - scale * (log_c - log_u)",
        "oracles/test_masked_guidance.py",
    ),
    Mutant(
        "guidance off by one (D5)",
        "diffusion/guidance.py",
        "log_u + scale * (log_c - log_u)",
        "log_c + scale * (log_c - log_u)",
        "oracles/test_masked_guidance.py",
    ),
    Mutant(
        "codes of one position that return together are drawn at once (D14)",
        "diffusion/frontier.py",
        "return replace(field, state=field.state.scatter(2, index, new))",
        "return replace(field, state=torch.where(field.state < 0, new, field.state))",
        SAMPLING,
    ),
    Mutant(
        "an order that looks at the drawn codes (D14)",
        "diffusion/samplers/top_probability.py",
        "return candidates.log_p.amax(-1)",
        "return candidates.log_p.gather(-1, candidates.codes[..., None]).squeeze(-1)",
        SAMPLING,
    ),
    Mutant(
        "steps end at their start (D14)",
        "diffusion/samplers/base.py",
        "return values[1:]",
        "return values[:-1]",
        SAMPLING,
    ),
)

TRAINING = (
    Mutant(
        "the weight average with its decay the other way round (D10)",
        "training/ema.py",
        "1 - self.rate(step)",
        "self.rate(step)",
        "oracles/test_ema.py",
    ),
    Mutant(
        "the weight average skips buffers (D10)",
        "training/ema.py",
        "            self.tensors[name].copy_(now[name])\n",
        "            pass\n",
        "oracles/test_ema.py",
    ),
    Mutant(
        "the decay is full from the first step (D10)",
        "training/ema.py",
        "return min(self.decay, (1 + step) / (10 + step))",
        "return self.decay",
        "oracles/test_ema.py",
    ),
    Mutant(
        "levels are not stratified over the batch",
        "loom/mixture.py",
        "(strata_BS + start_1S) % 1",
        "torch.rand(total, S, generator=generator)",
        "loom/test_mixture.py",
    ),
    Mutant(
        "what is kept of a target is noised, too",
        "loom/loom.py",
        "known=clean[name].known | kept[..., None]",
        "known=clean[name].known",
        "loom/test_loom.py::test_of_a_target_that_is_kept_in_part_that_part_is_shown_and_the_rest_is_paid_for",
    ),
    Mutant(
        "stretches that are kept end at the longest sample",
        "loom/mixture.py",
        "valid.sum(1, keepdim=True) // row_size",
        "valid.shape[1] // row_size * torch.ones_like(valid[:, :1], dtype=torch.long)",
        "loom/test_mixture.py::test_nothing_is_kept_beyond_the_end_of_a_sample",
    ),
)

MUTANTS = (
    *AUGMENTED,
    *QUANTIZERS,
    *COMPOSED,
    *DIFFUSION,
    *CONTINUOUS,
    *RESTORING,
    *SIGNALS,
    *TOKENIZING,
    *TRAINING,
    *BUDGETS,
    *CLINICAL,
    *WORLD,
    *CLIPS,
    *PICTURES,
    *SOUNDS,
    *LONG_SOUNDS,
    *LONG_TEXTS,
    *MENDED,
    *MOVING,
    *SPOKEN,
    *DEPTHS,
    *EXPLAINED,
    *PROBABLE,
    *JUDGED,
    *REPORT,
    *METRICS,
    *INFORMATION,
    *PARALLEL,
    *SHARDED,
)
