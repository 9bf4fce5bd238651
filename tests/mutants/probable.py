"""Probabilities of values, broken."""

from mutant import Mutant

CONDITIONALS, PROBABILITIES = "loom/test_conditionals.py", "loom/test_probabilities.py"

PROBABLE = (
    Mutant(
        "codes that see themselves",
        "loom/conditionals.py",
        "masked_fill((ranks >= rank)",
        "masked_fill((ranks > rank)",
        CONDITIONALS,
    ),
    Mutant(
        "a sum over orders instead of a mean",
        "loom/conditionals.py",
        "logsumexp(1) - math.log(num_orders) - nats",
        "logsumexp(1) - nats",
        CONDITIONALS,
    ),
    Mutant(
        "texts without the probability of their length",
        "loom/conditionals.py",
        "- math.log(num_orders) - nats",
        "- math.log(num_orders)",
        CONDITIONALS,
    ),
    Mutant(
        "one draw of the noise",
        "loom/conditionals.py",
        'generator(seed, "marginals", draw)',
        'generator(seed, "marginals")',
        CONDITIONALS,
    ),
    Mutant(
        "probabilities of the value before",
        "loom/probabilities.py",
        "log_p[i, j, 0, 1 : 1 + len(values)]",
        "log_p[i, j, 0, : len(values)]",
        PROBABILITIES,
    ),
)
