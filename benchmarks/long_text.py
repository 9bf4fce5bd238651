"""Long text: a Loom on the windows of books beside n-grams and a compressor, and what it writes by itself.

python examples/verses.py books --books
python benchmarks/long_text.py books [--minutes 20] [--n 500] [--seeds 0,1,2] [--json figures.json]

Bits per character of held-out books. The Loom's is the bound of its diffusion on windows that it sees alone,
their ends included: of `n` windows, spread over the books. The others know all that comes before: an
interpolated Kneser–Ney 5-gram, over the characters of all books; xz as many bytes as the held-out text adds
to the compressed training text. What is written is 10,000 characters, block by block, beside stretches
of as many of held-out text: the entropy of their characters, and repetition as their size in xz.
"""

import lzma
import math
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from statistics import fmean

from figures import Figures, Target, arguments, over_seeds, publish, spread
from ngrams import KneserNey

from modaloom.loom.evaluation.bounds import bits_per_unit
from modaloom.loom.run import TrainedRun

STREAM, DRAWN, GRAM = "text", 10_000, 20
"""Of texts alone; characters that are drawn, and of a stretch that may be repeated."""
TOKEN, MAX_DRAWS = 2.0, 100
"""Characters of a token, about, and texts that are written to have so many."""
SETTINGS = ["data.limits.text.max_tokens=256", "tokenizers.text.vocab_size=1024"]
BITS, OTHERS = "bits per character", ("Kneser–Ney 5-gram", "xz")
ENTROPY, REPETITION, REPEATED = "entropy of characters", "size in xz", f"repeated stretches of {GRAM}"
TARGETS = [
    *(Target(f"{BITS} below {name}", 0, ">") for name in OTHERS),
    *(Target(f"{BITS}, {name}") for name in ("Loom", *OTHERS)),
    *(Target(f"{name}, off real text's", 0.1, "≤") for name in (ENTROPY, REPETITION)),
    *(
        Target(f"{name}, {which}")
        for name in (ENTROPY, REPETITION, REPEATED)
        for which in ("written", "real")
    ),
]


def books(folder: Path) -> list[str]:
    """The texts of a split, in the order of their names."""
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))]


def entropy(text: str) -> float:
    """Bits per character, each by itself."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())


def compressed(text: str) -> int:
    """Bytes in xz."""
    return len(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def repeated(text: str) -> float:
    """Share of the stretches of `GRAM` characters that stand in the text before."""
    stretches = [text[i : i + GRAM] for i in range(len(text) - GRAM + 1)]
    return 1 - len({*stretches}) / max(1, len(stretches))


@cache
def rivals(train: str, test: str) -> dict[str, float]:
    """Bits per character of what is no neural network."""
    ngrams = KneserNey(train, {*train, *test})
    added = 8 * (compressed(train + test) - compressed(train))
    return dict(zip(OTHERS, (ngrams.bits(test) / len(test), added / len(test))))


def looks(text: str, real: str) -> dict[str, float]:
    """Figures of what was written, and the means of those of real stretches of as many characters."""
    starts = range(0, max(1, len(real) - len(text) + 1), max(1, len(text)))
    texts = {"written": [text], "real": [real[i : i + len(text)] for i in starts]}
    measures = {ENTROPY: entropy, REPETITION: lambda text: 8 * compressed(text) / len(text)}
    found = {
        f"{name}, {which}": fmean(map(measure, some))
        for name, measure in (measures | {REPEATED: repeated}).items()
        for which, some in texts.items()
    }
    off = {
        f"{name}, off real text's": abs(found[f"{name}, written"] / found[f"{name}, real"] - 1)
        for name in measures
    }
    return {**off, **found}


def written(run: TrainedRun, characters: int, seed: int) -> str:
    """So many characters, block by block; a text that ends before is followed by another."""
    most, _ = run.model.streams[STREAM].tokenizer.extent
    length, found, draws = max(characters / TOKEN, most + 1), "", 0
    while len(found) < characters and draws < MAX_DRAWS:
        (one,) = run.generate(want=STREAM, n=1, seed=seed + draws, length=length)
        found, draws = found + one[STREAM], draws + 1
    return found[:characters]


def measured(folder: Path, *, minutes: float, n: int, drawn: int, seed: int) -> Figures:
    from modaloom import api
    from modaloom.modalities import MODALITIES

    with tempfile.TemporaryDirectory() as place:
        how = {"preset": "tiny", "minutes": minutes, "seed": seed, "settings": SETTINGS}
        run = api.train(folder, out=Path(place) / "run", samples=1, **how)
        assert isinstance(run, TrainedRun)
        limits, cut = run.run.data.limits_of(STREAM), MODALITIES[STREAM].windows
        files = sorted((folder / "test").glob("*.txt"))
        windows = [window for path in files for window in (cut(path, limits) if cut else [])]
        loom = bits_per_unit(run.model, STREAM, spread(windows, n), seed=seed)
        text = written(run, drawn, seed)
    known, real = ("".join(books(folder / split)) for split in ("train", "test"))
    others = rivals(known, real)
    below = {f"{BITS} below {name}": value - loom for name, value in others.items()}
    bits = {f"{BITS}, {name}": value for name, value in {"Loom": loom, **others}.items()}
    return {**below, **bits, **looks(text, real)}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of long texts, in train, val and test")
    parser.add_argument("--minutes", type=float, default=20, help="of training, for each seed")
    parser.add_argument("--n", type=int, default=500, help="held-out windows, spread over the books")
    parser.add_argument("--drawn", type=int, default=DRAWN, help="characters to be written")
    options = parser.parse_args()
    publish(TARGETS, over_seeds(measured, options), options.json)


if __name__ == "__main__":
    main()
