"""Evaluation, broken."""

from mutant import Mutant

INTERVALS = "oracles/test_intervals.py"
MEMORIZATION = "oracles/test_memorization.py"
PAIRING = "oracles/test_pairing.py"

JUDGED = (
    Mutant(
        "left-out residuals that are those of the fit",
        "evaluation/learnable.py",
        "y[order] / inverse.diagonal()[:, None]",
        "y[order]",
        "evaluation/test_learnable.py",
    ),
    Mutant(
        "a p-value without the order that is tested",
        "evaluation/learnable.py",
        "(errors <= errors[0])",
        "(errors < errors[0])",
        "evaluation/test_learnable.py",
    ),
    Mutant(
        "replayed samples that are called augmented",
        "loom/trainer.py",
        ".masked_fill(replayed, 0)",
        "",
        "loom/test_replay.py",
    ),
    Mutant(
        "a decoder on no codes",
        "tokenizers/vqvae.py",
        "if sides[0]:",
        "if True:",
        "loom/test_signals_of_any_length.py",
    ),
    Mutant(
        "an interpolation from the wrong end",
        "loom/start.py",
        "tensor.to(own[name]).lerp(own[name], weight)",
        "own[name].lerp(tensor.to(own[name]), weight)",
        "loom/test_start.py",
    ),
    Mutant(
        "replayed samples numbered as those of the folder",
        "loom/replay.py",
        "self.first.n + self.second(step)",
        "self.second(step)",
        "loom/test_replay.py",
    ),
    Mutant(
        "a replay that is as large as the new data",
        "loom/replay.py",
        "sizes = own, max(1, optimizer.batch_size - own)",
        "sizes = own, own",
        "loom/test_replay.py",
    ),
    Mutant(
        "variety of all answers together",
        "evaluation/variety.py",
        "groups.setdefault(name, [])",
        "groups.setdefault(0, [])",
        "oracles/test_variety.py",
    ),
    Mutant(
        "alike answers where the tokenizer keeps nothing",
        "evaluation/diagnosis.py",
        "is_alike(e.variety) and is_alike(e.kept_variety)",
        "is_alike(e.variety) and (e.kept_variety or 1) < MIN_VARIETY",
        "evaluation/test_diagnosis.py",
    ),
    Mutant(
        "an interval around the share, not Wilson's",
        "evaluation/estimate.py",
        "(middle + side * spread) / (1 + Z**2 / n)",
        "p + side * Z * (p * (1 - p) / n) ** 0.5",
        INTERVALS,
    ),
    Mutant(
        "parts of a sample count as a sample each",
        "evaluation/estimate.py",
        "return self.n * (p * (1 - p) / variance if variance > 0 else 1.0)",
        "return self.n * 4",
        INTERVALS,
    ),
    Mutant(
        "samples that score in parts count as hits and misses",
        "evaluation/estimate.py",
        "return self.n * (p * (1 - p) / variance if variance > 0 else 1.0)",
        "return self.n",
        INTERVALS,
    ),
    Mutant(
        "an interval of 80%",
        "evaluation/estimate.py",
        "[0.025, 0.975]",
        "[0.1, 0.9]",
        INTERVALS,
    ),
    Mutant(
        "the least of intervals too wide",
        "evaluation/estimate.py",
        "min(one.high for one in each)",
        "max(one.high for one in each)",
        INTERVALS,
    ),
    Mutant(
        "a point is its own neighbour",
        "evaluation/memorization.py",
        ".fill_diagonal_(torch.inf)",
        "",
        MEMORIZATION,
    ),
    Mutant(
        "copies are those farther than usual",
        "evaluation/memorization.py",
        "here <= self.usual.quantile(NEAR_QUANTILE)",
        "here <= self.usual.quantile(1 - NEAR_QUANTILE)",
        MEMORIZATION,
    ),
    Mutant(
        "what real samples repeat held against draws",
        "evaluation/memorization.py",
        ">= MAX_REAL_REPEATS",
        "> 1",
        MEMORIZATION,
    ),
    Mutant(
        "other noise for every candidate",
        "loom/evaluation/pairing.py",
        'generator(seed, "pairs", direction.name)',
        'generator(seed, "pairs", direction.name, turn)',
        PAIRING,
    ),
    Mutant(
        "equals count as better",
        "loom/evaluation/pairing.py",
        "((behind > 0) & ~tied).sum(1)",
        "(behind >= 0).sum(1)",
        PAIRING,
    ),
    Mutant(
        "who is tied is behind",
        "loom/evaluation/pairing.py",
        " | (behind.abs() <= MAX_TIE_BITS)",
        "",
        PAIRING,
    ),
    Mutant(
        "givens of an equal value are wrong",
        "loom/evaluation/pairing.py",
        "tied = self.equal | self.right",
        "tied = self.equal",
        PAIRING,
    ),
    Mutant(
        "a ceiling below the guess is a ceiling",
        "evaluation/headline.py",
        "not sign(metric) * (ceiling - floor) > 0",
        "ceiling == floor",
        "evaluation/test_diagnosis.py",
    ),
    Mutant(
        "pictures are compared as they are",
        "modalities/image.py",
        "generated, truth = (unpack(pack(image, spec), spec) for image in (generated, truth))",
        "pass",
        "loom/test_prepared_scores.py::test_a_direct_comparison_is_at_the_learned_size_too",
    ),
    Mutant(
        "nats for bits",
        "loom/evaluation/pairing.py",
        " / math.log(2)",
        "",
        PAIRING,
    ),
    Mutant(
        "variances that are not centred",
        "metrics/ssim.py",
        "_filter(x * y) - mean_x * mean_y",
        "_filter(x * y)",
        "metrics/test_ssim.py",
    ),
    Mutant(
        "a flat window",
        "metrics/ssim.py",
        "np.exp(-0.5 *",
        "np.exp(-0.0 *",
        "metrics/test_ssim.py",
    ),
)

KID = "oracles/test_kid.py"
METRICS = (
    Mutant(
        "rows compared with themselves: KID is biased (D13)",
        "metrics/kid.py",
        "(kernel.sum() - np.trace(kernel)) / (len(x) * (len(x) - 1))",
        "kernel.mean()",
        KID,
    ),
    Mutant(
        "KID counts what is between the samples once",
        "metrics/kid.py",
        "- 2 * float(",
        "- float(",
        KID,
    ),
    Mutant(
        "the kernel of KID is not the cubic one",
        "metrics/kid.py",
        "+ 1) ** 3",
        "+ 1) ** 2",
        KID,
    ),
)
