"""Tokenizers of text beside each other: byte-pair encoding and a VQ-VAE of bytes, on any folder of texts.

python examples/verses.py books --books
python benchmarks/text_tokenizers.py books [--minutes 10] [--n 300] [--seeds 0,1,2] [--json figures.json]

Of held-out texts: how many characters come back from their codes (1 − edits per character), codes and free
bits of codes for each character, and the bits of a Loom's bound for each, after equal training. The bound of
byte-pair encoding is one of the texts, that of the VQ-VAE of its codes, which lose some of them.
"""

import math
import tempfile
from pathlib import Path

from figures import Figures, Target, arguments, over_seeds, publish, spread

from modaloom.loom.evaluation.bounds import bits_per_unit
from modaloom.loom.evaluation.folder import held_out
from modaloom.loom.model import Model
from modaloom.loom.run import TrainedRun
from modaloom.metrics.edit import error_rate

STREAM, KINDS = "text", {"BPE": "bpe", "byte VQ-VAE": "byte_vqvae"}
ACCURACY, CODES, FREE, BOUND = "character accuracy", "codes", "bits of codes", "bits of the Loom"
TARGETS = [
    Target(f"{name} per character, {kind}" if name != ACCURACY else f"{name}, {kind}")
    for name in (ACCURACY, CODES, FREE, BOUND)
    for kind in KINDS
]
LIMITS = ["data.limits.text.max_tokens=128"]


def figures_of(model: Model, texts: list[str], seed: int) -> dict[str, float]:
    """Of texts within the limits of the model."""
    tokenizer, characters = model.streams[STREAM].tokenizer, sum(map(len, texts))
    codes = tokenizer.encode(texts)
    edits = sum(error_rate(back, text) * len(text) for back, text in zip(tokenizer.decode(codes), texts))
    count = sum(len(row) for row in tokenizer.rows(codes)) * tokenizer.shape.depth / characters
    return {
        ACCURACY: 1 - edits / characters,
        f"{CODES} per character": count,
        f"{FREE} per character": count * math.log2(tokenizer.shape.codebook_size),
        f"{BOUND} per character": bits_per_unit(model, STREAM, texts, seed=seed),
    }


def measured(folder: Path, *, minutes: float, n: int, seed: int) -> Figures:
    from modaloom import api

    found = {}
    for name, kind in KINDS.items():
        with tempfile.TemporaryDirectory() as place:
            settings = [*LIMITS, f"streams.{STREAM}.tokenizer={kind}"]
            how = {"preset": "tiny", "minutes": minutes, "seed": seed, "settings": settings}
            run = api.train(folder, out=Path(place) / "run", samples=1, **how)
            assert isinstance(run, TrainedRun)
            splits = held_out(run, run.run.data.open(folder))
            texts = [sample.streams[STREAM] for samples in splits.values() for sample in samples]
            own = figures_of(run.model, [text for text in spread(texts, n) if text], seed)
            found |= {f"{figure}, {name}": value for figure, value in own.items()}
    return found


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of texts, the stream `text`")
    parser.add_argument("--minutes", type=float, default=10, help="of training, for each tokenizer and seed")
    parser.add_argument("--n", type=int, default=300, help="held-out texts, spread over them")
    options = parser.parse_args()
    publish(TARGETS, over_seeds(measured, options), options.json)


if __name__ == "__main__":
    main()
