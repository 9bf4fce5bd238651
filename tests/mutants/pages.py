"""The report page, broken on purpose."""

from mutant import Mutant

REPORT = (
    Mutant(
        "samples of the training stay out of step after a resume",
        "loom/snapshots.py",
        'if one["step"] < step]',
        "]",
        "loom/test_snapshots.py",
    ),
    Mutant(
        "a code's patch is not a mean",
        "tokenizers/usage.py",
        "total / places.sum(1).clamp(min=1).reshape(-1, 1, 1, 1)",
        "total / places.sum(1).max()",
        "loom/test_atlas.py",
    ),
    Mutant(
        "rows and columns of the grid of codes change places",
        "tokenizers/usage.py",
        "zip(strides, divmod(place, across))",
        "zip(strides, divmod(place, rows))",
        "loom/test_atlas.py",
    ),
    Mutant(
        "a tint's colours told from its last code",
        "tokenizers/usage.py",
        "codes[:, 0, -shape.shared]",
        "codes[:, 0, -1]",
        "loom/test_atlas.py",
    ),
    Mutant(
        "the worst are the best where less is better",
        "evaluation/worst.py",
        "sign(self.metric) * (self.truth - self.value)",
        "1 * (self.truth - self.value)",
        "evaluation/test_worst.py",
    ),
    Mutant(
        "what is as good as the truth counts as bad",
        "evaluation/worst.py",
        ".shortfall > 0]",
        ".shortfall >= 0]",
        "evaluation/test_worst.py",
    ),
    Mutant(
        "a cell is filled from zero, not from the floor",
        "evaluation/headline.py",
        "(figure - floor) / (ceiling - floor)",
        "figure / ceiling",
        "report/test_report_page.py",
    ),
)
