"""What streams tell about each other, and what is made of it, broken."""

from mutant import Mutant

MAP, WORLD_MAP = "oracles/test_mutual_information.py", "world/test_world_information.py"
SUSPECTS, DIAGNOSIS, COPIES = (
    "loom/test_suspects.py",
    "evaluation/test_diagnosis.py",
    "evaluation/test_near_duplicates.py",
)

INFORMATION = (
    Mutant(
        "information with its sign turned",
        "loom/evaluation/bounds.py",
        "return self.alone - self.given",
        "return self.given - self.alone",
        MAP,
    ),
    Mutant(
        "other masks for the two terms",
        "loom/evaluation/bounds.py",
        'generator(self.seed, "information", want, rows[0])',
        'generator(self.seed, "information", want, str(given))',
        MAP,
    ),
    Mutant(
        "nats for bits",
        "loom/evaluation/bounds.py",
        "nats.double().cpu() / math.log(2)",
        "nats.double().cpu()",
        MAP,
    ),
    Mutant(
        "an interval of other samples' figures",
        "loom/evaluation/mutual_information.py",
        "mi = average(found.pmi)",
        "mi = average(found.alone)",
        MAP,
    ),
    Mutant(
        "the joint entropy added",
        "world/information.py",
        "- _entropy(distribution, (*left, *right))",
        "+ _entropy(distribution, (*left, *right))",
        WORLD_MAP,
    ),
    Mutant(
        "scenes that weigh the same whatever can be drawn with them",
        "world/information.py",
        "1 / len(shown) / len(scenes)",
        "1 / len(shown) / 8",
        WORLD_MAP,
    ),
    Mutant(
        "shared nuisance overlooked",
        "world/information.py",
        "if _random_purposes(one) & _random_purposes(other):",
        "if one == other:",
        WORLD_MAP,
    ),
    Mutant(
        "the direction that has more against a pair decides",
        "loom/evaluation/suspects.py",
        ".amax(0)",
        ".amin(0)",
        SUSPECTS,
    ),
    Mutant(
        "deviations that are not standard ones",
        "loom/evaluation/suspects.py",
        "STD_PER_MAD = 1.4826",
        "STD_PER_MAD = 1.0",
        SUSPECTS,
    ),
    Mutant(
        "copies measured without what is usual",
        "evaluation/near_duplicates.py",
        "distance < MAX_DISTANCE_RATIO * usual",
        "distance < MAX_DISTANCE_RATIO",
        COPIES,
    ),
    Mutant(
        "what is usual measured on held-out values alone",
        "evaluation/near_duplicates.py",
        "for each in (found, nearest_others(space.points)))",
        "for each in (found,))",
        COPIES,
    ),
    Mutant(
        "chance repetition taken for a leak",
        "evaluation/leaks.py",
        "> usual + MIN_EXCESS",
        "> MIN_EXCESS",
        COPIES,
    ),
    Mutant(
        "the truth after its tokenizer is never blamed",
        "evaluation/diagnosis.py",
        "return short > 0 or",
        "return short > 1e9 or",
        DIAGNOSIS,
    ),
)
