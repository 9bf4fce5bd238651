"""Variants of training samples, broken."""

from mutant import Mutant

SHIFT, VARIANTS = "transforms/test_shift.py", "loom/test_variants.py"
DROPOUT, BPE = "tokenizers/test_bpe_dropout.py", "tokenizers/test_bpe.py"

AUGMENTED = (
    Mutant("a shift that goes round", "transforms/shift.py", ".clamp(0, side - 1)", " % side", SHIFT),
    Mutant("a shift to one side", "transforms/shift.py", "(2 * torch.rand", "(torch.rand", SHIFT),
    Mutant("a shift in pixels", "transforms/shift.py", "round(part * side)", "round(part * 8)", SHIFT),
    Mutant(
        "mirrored upside down",
        "transforms/flip.py",
        "signal.flip(-1)",
        "signal.flip(-2)",
        "transforms/test_flip.py",
    ),
    Mutant(
        "a brightness that is added",
        "transforms/brightness.py",
        "((signal + 1) * factor - 1)",
        "(signal + factor - 1)",
        "transforms/test_brightness.py",
    ),
    Mutant("the latest merge first", "tokenizers/bpe_dropout.py", "min(kept)", "max(kept)", DROPOUT),
    Mutant("a merge left out for good", "tokenizers/bpe_dropout.py", "u >= dropout", "u < dropout", DROPOUT),
    Mutant("a segmentation that is too long", "tokenizers/bpe.py", "if more <= spare:", "if True:", BPE),
    Mutant(
        "no room for the end of a text",
        "tokenizers/bpe.py",
        "spare = len(prepared) - (not self.shape.variable)",
        "spare = len(prepared)",
        BPE,
    ),
    Mutant(
        "streams of a sample that are changed apart",
        "loom/dataset.py",
        "paths = [(s.key, variant)",
        "paths = [(s.key, stream, variant)",
        VARIANTS,
    ),
    Mutant(
        "the same change in all variants",
        "loom/dataset.py",
        "paths = [(s.key, variant)",
        "paths = [(s.key, 1)",
        VARIANTS,
    ),
    Mutant(
        "validation samples that are augmented",
        "loom/dataset.py",
        "(self._is_training if variant else True)",
        "True",
        VARIANTS,
    ),
    Mutant(
        "the variant of a sample always the same",
        "loom/variants.py",
        'derive(self.seed, stage, "variant", step, row)',
        'derive(self.seed, stage, "variant", row)',
        VARIANTS,
    ),
    Mutant(
        "augmented samples that are not marked",
        "loom/trainer.py",
        '"augmented": variants > 0',
        '"augmented": variants < 0',
        VARIANTS,
    ),
    Mutant(
        "plain samples no more often than any variant",
        "loom/variants.py",
        "max(0, seed % (2 * others) - others + 1)",
        "seed % self.number",
        VARIANTS,
    ),
    Mutant(
        "the variant by the place in the batch",
        "loom/variants.py",
        "for row in rows.tolist())",
        "for row, _ in enumerate(rows.tolist()))",
        VARIANTS,
    ),
    Mutant(
        "caches of another strength",
        "loom/variants.py",
        "return [self.seed, used, self.number]",
        "return [self.seed, self.number]",
        VARIANTS,
    ),
    Mutant(
        "token budgets of the plain texts",
        "loom/code_table.py",
        "for v in range(self.num_variants)]",
        "for v in range(1)]",
        VARIANTS,
    ),
)
