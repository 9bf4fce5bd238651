"""What streams tell about each other, and what is made of it, broken."""

from mutant import Mutant

MAP, WORLD_MAP = "oracles/test_information.py", "world/test_world_information.py"
SUSPECTS, COPIES, DIAGNOSIS = (f"evaluation/test_{name}.py" for name in ("suspects", "copies", "diagnosis"))

INFORMATION = (
    Mutant(
        "information with its sign turned",
        "evaluation/bounds.py",
        "return self.alone - self.given",
        "return self.given - self.alone",
        MAP,
    ),
    Mutant(
        "other masks for the two terms",
        "evaluation/bounds.py",
        'generator(self.seed, "information", want, rows[0])',
        'generator(self.seed, "information", want, str(given))',
        MAP,
    ),
    Mutant(
        "nats for bits",
        "evaluation/bounds.py",
        "nats.double().cpu() / math.log(2)",
        "nats.double().cpu()",
        MAP,
    ),
    Mutant(
        "an interval of other samples' figures",
        "evaluation/information.py",
        "told = average(found.told)",
        "told = average(found.alone)",
        MAP,
    ),
    Mutant(
        "the joint entropy added",
        "world/information.py",
        "- _entropy(law, (*left, *right))",
        "+ _entropy(law, (*left, *right))",
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
        "if _purposes(one) & _purposes(other):",
        "if one == other:",
        WORLD_MAP,
    ),
    Mutant(
        "the direction that has more against a pair decides",
        "evaluation/suspects.py",
        ".amax(0)",
        ".amin(0)",
        SUSPECTS,
    ),
    Mutant(
        "deviations that are not standard ones",
        "evaluation/suspects.py",
        "SCALE = 1.4826",
        "SCALE = 1.0",
        SUSPECTS,
    ),
    Mutant(
        "copies measured without what is usual",
        "evaluation/copies.py",
        "distance < NEAR * usual",
        "distance < NEAR",
        COPIES,
    ),
    Mutant(
        "what is usual measured on held-out values alone",
        "evaluation/copies.py",
        "for each in (found, nearest_others(space.points)))",
        "for each in (found,))",
        COPIES,
    ),
    Mutant(
        "chance repetition taken for a leak",
        "evaluation/leaks.py",
        "> usual + MORE",
        "> MORE",
        COPIES,
    ),
    Mutant(
        "the way to the ceiling without its floor",
        "evaluation/diagnosis.py",
        "(figure - row.floor) / (row.ceiling - row.floor)",
        "figure / row.ceiling",
        DIAGNOSIS,
    ),
)
