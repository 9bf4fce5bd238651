"""Evaluation, broken."""

from mutant import Mutant

INTERVALS = "oracles/test_intervals.py"
ORIGINALITY = "oracles/test_originality.py"
PAIRING = "oracles/test_pairing.py"

JUDGED = (
    Mutant(
        "an interval around the share, not Wilson's",
        "evaluation/figure.py",
        "(middle + side * spread) / (1 + Z**2 / n)",
        "p + side * Z * (p * (1 - p) / n) ** 0.5",
        INTERVALS,
    ),
    Mutant(
        "parts of a sample count as a sample each",
        "evaluation/figure.py",
        "return self.n * (p * (1 - p) / variance if variance > 0 else 1.0)",
        "return self.n * 4",
        INTERVALS,
    ),
    Mutant(
        "samples that score in parts count as hits and misses",
        "evaluation/figure.py",
        "return self.n * (p * (1 - p) / variance if variance > 0 else 1.0)",
        "return self.n",
        INTERVALS,
    ),
    Mutant(
        "an interval of 80%",
        "evaluation/figure.py",
        "[0.025, 0.975]",
        "[0.1, 0.9]",
        INTERVALS,
    ),
    Mutant(
        "the least of intervals too wide",
        "evaluation/figure.py",
        "min(one.high for one in each)",
        "max(one.high for one in each)",
        INTERVALS,
    ),
    Mutant(
        "a point is its own neighbour",
        "evaluation/originality.py",
        ".fill_diagonal_(torch.inf)",
        "",
        ORIGINALITY,
    ),
    Mutant(
        "copies are those farther than usual",
        "evaluation/originality.py",
        "here <= self.usual.quantile(NEAR)",
        "here <= self.usual.quantile(1 - NEAR)",
        ORIGINALITY,
    ),
    Mutant(
        "what real samples repeat held against draws",
        "evaluation/originality.py",
        ">= CHANCE",
        "> 1",
        ORIGINALITY,
    ),
    Mutant(
        "other noise for every candidate",
        "evaluation/pairing.py",
        'generator(seed, "pairs", direction.name)',
        'generator(seed, "pairs", direction.name, turn)',
        PAIRING,
    ),
    Mutant(
        "equals count as better",
        "evaluation/pairing.py",
        "better = (bits < bits[:, :1]) & ~self.equal",
        "better = bits <= bits[:, :1]",
        PAIRING,
    ),
    Mutant(
        "nats for bits",
        "evaluation/pairing.py",
        " / math.log(2)",
        "",
        PAIRING,
    ),
    Mutant(
        "variances that are not centred",
        "metrics/ssim.py",
        "_blurred(x * y) - mean_x * mean_y",
        "_blurred(x * y)",
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
