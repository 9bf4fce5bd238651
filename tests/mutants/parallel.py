"""Training on several ranks, broken on purpose."""

from mutant import Mutant

RANKS, FITTING = "training/test_distributed.py", "api/test_fitting.py"

PARALLEL = (
    Mutant(
        "every rank takes the noise of the first",
        "core/distributed.py",
        "values.narrow(0, self.first, self.n)",
        "values.narrow(0, 0, self.n)",
        RANKS,
    ),
    Mutant(
        "gradients of the rank alone",
        "training/accelerator.py",
        "        self.distributed.sum_gradients(optimizers.parameters)\n",
        "",
        RANKS,
    ),
    Mutant(
        "a gradient that only some ranks have is lost",
        "training/process_group.py",
        "if count else None",
        "if count == self.size else None",
        RANKS,
    ),
    Mutant(
        "the sum's gradient counts every rank",
        "training/process_group.py",
        "return grads[0], None",
        "return grads[0] * 2, None",
        RANKS,
    ),
    Mutant(
        "k-means starts from the rank's own vectors",
        "quantizers/vq.py",
        "self.codebook.start(distributed.gather(seen), generator)",
        "self.codebook.start(seen, generator)",
        RANKS,
    ),
    Mutant(
        "dead codes restart at the rank's own vectors",
        "quantizers/codebook.py",
        "sample_rows(distributed.gather(z),",
        "sample_rows(z,",
        RANKS,
    ),
    Mutant(
        "the moving average of the rank's own vectors",
        "quantizers/codebook.py",
        "map(distributed.sum, residual_sums(z, codes, self.vectors))",
        "residual_sums(z, codes, self.vectors)",
        RANKS,
    ),
    Mutant(
        "the entropy of the rank's own mean bits",
        "quantizers/lfq.py",
        "_entropy(distributed.mean(plus))",
        "_entropy(plus.mean(0))",
        RANKS,
    ),
    Mutant(
        "a loss divided by the rank's own count",
        "quantizers/error.py",
        "distributed.rows(len(a)).total",
        "len(a)",
        RANKS,
    ),
    Mutant(
        "the deviation from the rank's own mean",
        "quantizers/error.py",
        "z - distributed.mean(z)",
        "z - z.mean(0)",
        RANKS,
    ),
    Mutant(
        "the gain of the rank's own vectors",
        "quantizers/normalized.py",
        "now = distributed.sum(torch.stack([(seen * chosen).sum(), chosen.square().sum()]))",
        "now = torch.stack([(seen * chosen).sum(), chosen.square().sum()])",
        RANKS,
    ),
    Mutant(
        "a rank learns although another has NaN",
        "quantizers/base.py",
        "distributed.all(finite)",
        "finite",
        RANKS,
    ),
    Mutant(
        "every rank numbers its pairs from 0",
        "restorer/trainer.py",
        ", batches.rows(step).first)",
        ", 0)",
        RANKS,
    ),
    Mutant(
        "bits per code that is hidden on this rank",
        "loom/loom.py",
        "hidden = distributed.sum(changed.any((1, 2)).sum()).clamp_min(1)",
        "hidden = changed.any((1, 2)).sum().clamp_min(1)",
        RANKS,
    ),
    Mutant(
        "a mean of bfloat16 that is summed in bfloat16",
        "training/process_group.py",
        "torch.promote_types(rows.dtype, torch.float32)",
        "rows.dtype",
        RANKS,
    ),
    Mutant(
        "rank 0 does not wait for the work of the others",
        "training/process_group.py",
        "        while WORKING in (said := self._numbers(DONE)) and STOPPED not in said:\n            pass\n",
        "        said = self._numbers(DONE)\n",
        RANKS,
    ),
    Mutant(
        "other data on a rank are not noticed",
        "api/fitting.py",
        "found != ranks.share(found)",
        "False",
        FITTING,
    ),
    Mutant(
        "the others do not wait for what follows the last step",
        "api/fitting.py",
        "    asked.waiting.enter_context(asked.ranks.first())  # to the end of the command\n",
        "",
        FITTING,
    ),
)
