"""Style of text without pairs: verses of two Bibles, none of them in both, and a stream that names the style.

python examples/verses.py verses
python benchmarks/text_style.py verses [--minutes 20] [--n 300] [--strengths 0.3,0.5,0.7] [--seeds 0,1,2]

Half of the training books are read in one version, the other half in the other. Held-out verses are written
in the other style by `strength`: the codes of the verse at a noise level, under the other style. Answers are
compared with the verse of the other version, which no training saw, beside copying; the style of an answer is
that in which Kneser–Ney 5-grams of the training texts find it likelier. Needs modaloom[texts].
"""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from figures import Figures, Target, arguments, numbers, over_seeds, publish, spread
from ngrams import KneserNey
from verses import DIRECTIONS, KEPT, Pair, pairs_of, scores, share_kept

from modaloom.core.frame import finished
from modaloom.loom.run import TrainedRun

STYLES = ("modern", "archaic")
SETTINGS = ["data.limits.text.max_tokens=128", "tokenizers.text.vocab_size=2048"]
STRENGTHS = (0.3, 0.5, 0.7)
IN_STYLE, GAIN = "in the style asked for", "chrF over copying"


def targets(strengths: Sequence[float]) -> list[Target]:
    ways = [f"{given} → {want}" for given, want in DIRECTIONS]
    return [
        *(Target(f"{way}: {GAIN}, best strength", 0, ">") for way in ways),
        *(
            Target(f"{way}: {name}, {how}")
            for way in ways
            for how in ("copy", *(f"strength {t:g}" for t in strengths))
            for name in ("chrF", IN_STYLE, KEPT)
        ),
    ]


def write_unpaired(verses: Path, folder: Path) -> None:
    """Every training and validation verse in one version: those of every other book in the first."""
    for split in ("train", "val"):
        (folder / split).mkdir(parents=True)
        books = sorted({path.name.partition("-")[0] for path in (verses / split).glob("*.txt")})
        for path in sorted((verses / split).glob("*.txt")):
            key, style, _ = path.name.split(".")
            if style == STYLES[books.index(key.partition("-")[0]) % 2]:
                shutil.copy(path, folder / split / f"{key}.text.txt")
                (folder / split / f"{key}.style.json").write_text(json.dumps({"style": style}))


def judges(folder: Path) -> dict[str, KneserNey]:
    """Style → n-grams of its training texts."""
    texts: dict[str, str] = dict.fromkeys(STYLES, "")
    for path in sorted((folder / "train").glob("*.text.txt")):
        style = json.loads(path.with_name(path.name.replace(".text.txt", ".style.json")).read_text())["style"]
        texts[style] += path.read_text(encoding="utf-8")
    alphabet = {*map(chr, range(32, 127)), *"".join(texts.values())}
    return {style: KneserNey(text, alphabet) for style, text in texts.items()}


def share_in_style(judged: Mapping[str, KneserNey], answers: Sequence[str], style: str) -> float:
    """Share of the answers that are likelier in a style than in any other; of no known character, in none."""
    known = {*next(iter(judged.values())).alphabet}
    found = 0
    for answer in answers:
        text = "".join(c for c in answer if c in known)
        bits = {name: ngrams.bits(text) for name, ngrams in judged.items()}
        found += bool(text) and min(bits, key=bits.__getitem__) == style
    return found / max(1, len(answers))


def restyled(
    run: TrainedRun, pairs: Sequence[Pair], style: str, strength: float, seed: int, guidance: float
) -> list[str]:
    texts = [given for given, _ in pairs]
    given = {"text": texts, "style": [{"style": style}] * len(texts)}
    rows = {"text": texts[0], "style": given["style"][0]}
    at = {"text": strength}
    kept = run.kept(rows, ["text"], {}, at)
    options, codes = run.sampling({"guidance": guidance}), run.model.codes(given)
    how = {"n": len(texts), "seed": seed, "options": options, "kept": kept, "strength": at}
    return [one["text"] for one in run.model.values(finished(run.model.stream(codes, ["text"], **how)))]


def measured(
    folder: Path, *, minutes: float, n: int, strengths: Sequence[float], guidance: float, seed: int
) -> Figures:
    from modaloom import api

    found = {}
    with tempfile.TemporaryDirectory() as place:
        unpaired = Path(place) / "unpaired"
        write_unpaired(folder, unpaired)
        judged = judges(unpaired)
        how = {"preset": "tiny", "minutes": minutes, "seed": seed, "settings": SETTINGS}
        run = api.train(unpaired, out=Path(place) / "run", samples=1, **how)
        assert isinstance(run, TrainedRun)
        for given, want in DIRECTIONS:
            pairs = spread(pairs_of(folder / "test", given, want), n)
            answers = {"copy": [text for text, _ in pairs]} | {
                f"strength {t:g}": restyled(run, pairs, want, t, seed, guidance) for t in strengths
            }
            own = {}
            for name, texts in answers.items():
                own[f"chrF, {name}"] = scores(texts, [truth for _, truth in pairs])["chrF"]
                own[f"{IN_STYLE}, {name}"] = share_in_style(judged, texts, want)
                own[f"{KEPT}, {name}"] = share_kept(pairs, texts)
            best = max(own[f"chrF, strength {t:g}"] for t in strengths)
            own[f"{GAIN}, best strength"] = best - own["chrF, copy"]
            found |= {f"{given} → {want}: {name}": value for name, value in own.items()}
    return found


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of examples/verses.py")
    parser.add_argument("--minutes", type=float, default=20, help="of training, for each seed")
    parser.add_argument("--n", type=int, default=300, help="held-out verses, spread over the books")
    parser.add_argument("--strengths", type=numbers, default=STRENGTHS, help="such as 0.3,0.5")
    parser.add_argument("--guidance", type=float, default=2, help="towards the style")
    options = parser.parse_args()
    publish(targets(options.strengths), over_seeds(measured, options), options.json)


if __name__ == "__main__":
    main()
