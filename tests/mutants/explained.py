"""What drove a generated value, broken."""

from mutant import Mutant

OWEN, EVIDENCE = "evaluation/test_owen.py", "loom/test_evidence.py"

EXPLAINED = (
    Mutant(
        "subsets of groups that all weigh the same",
        "evaluation/owen.py",
        "1 / ((n + 1) * math.comb(n, count))",
        "1 / 2**n",
        OWEN,
    ),
    Mutant(
        "an order without its reverse",
        "evaluation/owen.py",
        "tuple(order.flip(0).tolist())",
        "tuple(order.roll(1).tolist())",
        OWEN,
    ),
    Mutant(
        "hidden parts of a stream that are shown",
        "loom/fields.py",
        "known = (kept | ~f.valid)[..., None].expand_as(f.known)",
        "known = torch.ones_like(f.known)",
        EVIDENCE,
    ),
    Mutant(
        "bits of masks that hide nothing",
        "loom/evidence.py",
        "hidden * codes / hidden.sum().clamp_min(1)",
        "hidden * codes / len(hidden)",
        EVIDENCE,
    ),
    Mutant(
        "a stream of which nothing is shown stays",
        "loom/evidence.py",
        "if here}",
        "}",
        EVIDENCE,
    ),
)
