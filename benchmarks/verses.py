"""Style of real prose (examples/verses.py): a Loom on verses beside copying and word substitution.

python examples/verses.py verses
python benchmarks/verses.py verses [--minutes 20] [--n 300] [--seeds 0,1,2] [--json figures.json]

Figures are of whole books that no training saw. Word substitution is learned from the training pairs: each
word becomes what the edit distance aligns it with most often, itself or nothing among them. Names and numbers
are those that both versions have. Needs modaloom[texts].
"""

import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from figures import Figures, Target, arguments, over_seeds, publish, spread
from rapidfuzz.distance import Levenshtein

DIRECTIONS = (("modern", "archaic"), ("archaic", "modern"))
SETTINGS = ["data.limits.text.max_tokens=128", "tokenizers.text.vocab_size=2048"]
BASELINES, METRICS = ("copy", "substitution"), ("chrF", "BLEU")
KEPT, GAIN = "names and numbers kept", "over the better baseline"
TARGETS = [
    target
    for given, want in DIRECTIONS
    for target in (
        *(Target(f"{given} → {want}: {metric} {GAIN}", 3) for metric in METRICS),
        Target(f"{given} → {want}: {KEPT}", 0.95),
        *(
            Target(f"{given} → {want}: {metric}, {name}")
            for metric in METRICS
            for name in ("model", *BASELINES)
        ),
    )
]
WORD = re.compile(r"\s*(?:[\w'-]+|[^\w\s])")
NAME = re.compile(
    r"(?<=[a-z,;] )[A-Z]\w+|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty"
    r"|forty|fifty|hundred|thousand|first|second|third|\d+)\b"
)
Pair = tuple[str, str]


def pairs_of(folder: Path, given: str, want: str) -> list[Pair]:
    """(Given, wanted) texts of a split, in the order of their names."""
    files = sorted(folder.glob(f"*.{given}.txt"))
    others = [path.with_name(path.name.replace(f".{given}.", f".{want}.")) for path in files]
    return [
        tuple(path.read_text(encoding="utf-8").rstrip("\n") for path in pair) for pair in zip(files, others)
    ]


def substitutions(pairs: Sequence[Pair]) -> dict[str, str]:
    """Word → what it becomes most often, with the space before it; "" where it is left out."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for given, wanted in pairs:
        source, target = WORD.findall(given), WORD.findall(wanted)
        for how, start, end, first, last in Levenshtein.opcodes(source, target):
            if how != "insert":
                found = target[first:last] or [""] * (end - start)
                for word, other in zip(source[start:end], found):
                    counts[word][other] += 1
    return {word: found.most_common(1)[0][0] for word, found in counts.items()}


def substituted(text: str, table: Mapping[str, str]) -> str:
    return "".join(table.get(word, word) for word in WORD.findall(text)).lstrip()


def share_kept(pairs: Sequence[Pair], answers: Sequence[str]) -> float:
    """Share of the names and numbers that both texts of a pair have, that its answer has, too; 1 of none."""
    found = total = 0
    for (given, wanted), answer in zip(pairs, answers):
        both = Counter(NAME.findall(given)) & Counter(re.findall(r"\w+", wanted))
        found += (both & Counter(re.findall(r"\w+", answer))).total()
        total += both.total()
    return found / total if total else 1.0


def scores(answers: Sequence[str], truths: Sequence[str]) -> dict[str, float]:
    from sacrebleu import corpus_bleu, corpus_chrf

    return {
        "chrF": corpus_chrf(answers, [truths]).score,
        "BLEU": corpus_bleu(answers, [truths]).score,
    }


def figures_of(pairs: Sequence[Pair], train: Sequence[Pair], answers: Sequence[str]) -> dict[str, float]:
    """The answers of a model beside the baselines'."""
    table, truths = substitutions(train), [wanted for _, wanted in pairs]
    said = {
        "model": answers,
        "copy": [given for given, _ in pairs],
        "substitution": [substituted(given, table) for given, _ in pairs],
    }
    found = {name: scores(texts, truths) for name, texts in said.items()}
    gains = {
        f"{metric} {GAIN}": found["model"][metric] - max(found[name][metric] for name in BASELINES)
        for metric in METRICS
    }
    each = {f"{metric}, {name}": found[name][metric] for name in said for metric in METRICS}
    return {**gains, KEPT: share_kept(pairs, answers), **each}


def measured(folder: Path, *, minutes: float, n: int, seed: int) -> Figures:
    from modaloom import api

    with tempfile.TemporaryDirectory() as place:
        run = api.train(
            folder,
            out=Path(place) / "run",
            preset="tiny",
            minutes=minutes,
            seed=seed,
            samples=1,
            settings=SETTINGS,
        )
        found = {}
        for given, want in DIRECTIONS:
            pairs = spread(pairs_of(folder / "test", given, want), n)
            drawn = run.model.generate({given: [text for text, _ in pairs]}, [want], n=len(pairs), seed=seed)
            own = figures_of(pairs, pairs_of(folder / "train", given, want), [one[want] for one in drawn])
            found |= {f"{given} → {want}: {name}": value for name, value in own.items()}
    return found


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of examples/verses.py")
    parser.add_argument("--minutes", type=float, default=20, help="of training, for each seed")
    parser.add_argument("--n", type=int, default=300, help="held-out verses, spread over the books")
    options = parser.parse_args()
    publish(TARGETS, over_seeds(measured, options), options.json)


if __name__ == "__main__":
    main()
