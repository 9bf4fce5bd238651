"""Text super-resolution (examples/typos.py): a Loom on noisy and full sentences beside n-grams.

python examples/typos.py PROSE typos
python benchmarks/typos.py typos [--minutes 20] [--n 300] [--seeds 0,1,2] [--json figures.json]

Character error rates of held-out sentences: edits per character of the truth. The baseline knows the words of
the training texts and their bigrams: for each noisy word the likeliest of the words nearest to it by edit
distance, all words of a sentence together (Viterbi); an edit costs what is best on validation sentences.
"""

import math
import tempfile
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from figures import Figures, Target, arguments, over_seeds, publish, spread
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein
from verses import Pair, pairs_of

RATIO, NGRAM = "of the input's", "below n-grams and edit distance"
TARGETS = [
    Target(f"error {RATIO}", 0.25, "≤"),
    Target(NGRAM, 0, ">"),
    *(Target(f"error, {name}") for name in ("input", "n-grams and edit distance", "model")),
]
CANDIDATES, COSTS, KNOWN = 8, (1.0, 2.0, 3.0, 5.0, 8.0), 0.9
"""Nearest words that are looked at; nats of an edit; weight of the bigram beside the unigram."""


class Speller:
    """Words and bigrams of texts.

    Args:
        texts: correct ones.
        cost: of an edit, in nats.
    """

    def __init__(self, texts: Sequence[str], cost: float = 3.0) -> None:
        lines = [["", *text.split()] for text in texts]
        self.cost, self.words = cost, Counter(word for line in lines for word in line)
        self.total = self.words.total()
        self.bigrams = Counter(pair for line in lines for pair in pairwise(line))
        self.near = lru_cache(maxsize=None)(self._near)

    def _near(self, word: str) -> list[tuple[str, int]]:
        """Candidates of a word with their distances, itself among them."""
        found = process.extract(word, self.words.keys() - {""}, scorer=Levenshtein.distance, limit=CANDIDATES)
        return [(word, 0), *((other, edits) for other, edits, _ in found if edits)]

    def log_p(self, before: str, word: str) -> float:
        unigram = (self.words[word] + 0.1) / (self.total + 1)
        bigram = self.bigrams[before, word] / max(1, self.words[before])
        return math.log(KNOWN * bigram + (1 - KNOWN) * unigram)

    def correct(self, text: str) -> str:
        """The likeliest sentence of as many words."""
        best: dict[str, tuple[float, list[str]]] = {"": (0.0, [])}
        for word in text.split():
            best = {
                other: max(
                    (score + self.log_p(before, other) - self.cost * edits, [*words, other])
                    for before, (score, words) in best.items()
                )
                for other, edits in self.near(word)
            }
        return " ".join(max(best.values())[1])


def error(answers: Sequence[str], truths: Sequence[str]) -> float:
    """Edits per character of the truths."""
    edits = sum(Levenshtein.distance(answer, truth) for answer, truth in zip(answers, truths))
    return edits / sum(map(len, truths))


def fitted(train: Sequence[Pair], val: Sequence[Pair]) -> Speller:
    """The speller with the best cost of an edit."""
    speller, truths = Speller([full for _, full in train]), [full for _, full in val]
    errors = {}
    for cost in COSTS:
        speller.cost = cost
        errors[cost] = error([speller.correct(noisy) for noisy, _ in val], truths)
    speller.cost = min(errors, key=errors.__getitem__)
    return speller


def figures_of(pairs: Sequence[Pair], answers: Sequence[str], speller: Speller) -> dict[str, float]:
    truths, noisy = [full for _, full in pairs], [noisy for noisy, _ in pairs]
    given, ngram = error(noisy, truths), error([speller.correct(text) for text in noisy], truths)
    model = error(answers, truths)
    errors = {"input": given, "n-grams and edit distance": ngram, "model": model}
    return {f"error {RATIO}": model / given, NGRAM: ngram - model} | {
        f"error, {name}": value for name, value in errors.items()
    }


def some(folder: Path, n: int) -> Sequence[Pair]:
    """At most n pairs of a split, spread over it."""
    return spread(pairs_of(folder, "noisy", "text"), n)


def measured(folder: Path, *, minutes: float, n: int, seed: int) -> Figures:
    from modaloom import api

    speller = fitted(pairs_of(folder / "train", "noisy", "text"), some(folder / "val", n))
    pairs = some(folder / "test", n)
    settings = ["data.limits.text.max_tokens=128", 'loom.mixture.wanted=["text"]']
    with tempfile.TemporaryDirectory() as place:
        how = {"preset": "tiny", "minutes": minutes, "seed": seed, "settings": settings}
        run = api.train(folder, out=Path(place) / "run", samples=1, **how)
        drawn = run.model.generate(
            {"noisy": [noisy for noisy, _ in pairs]}, ["text"], n=len(pairs), seed=seed
        )
    return figures_of(pairs, [one["text"] for one in drawn], speller)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of examples/typos.py")
    parser.add_argument("--minutes", type=float, default=20, help="of training, for each seed")
    parser.add_argument("--n", type=int, default=300, help="held-out sentences, spread over the split")
    options = parser.parse_args()
    publish(TARGETS, over_seeds(measured, options), options.json)


if __name__ == "__main__":
    main()
