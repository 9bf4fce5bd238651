"""The tokenizer of speech as a codec: intelligibility and quality by bit rate, beside Opus and EnCodec.

pip install 'modaloom[codec]'
python examples/prompts.py prompts
python benchmarks/codec.py prompts [--steps 3000] [--clips 40] [--encodec MINUTES] [--run RUN] [--json FILE]

Trains the tokenizer of the stream `speech` on the training sentences (an existing RUN is reused) and scores
sentences that are in no training: STOI (Taal et al. 2011), extended STOI, and wide-band PESQ (ITU-T P.862.2),
means over clips; the share of 93 spoken English numerals, days and months that pocketsphinx recognises in a
grammar of all of them, relative to the recordings; the perplexity of the depth that uses its codes least, as
a share of their number. `spectrogram` is the true log-mel through Griffin–Lim, the ceiling of a tokenizer
that keeps it. EnCodec is trained on the same sentences for those minutes, from a random start, with our
quantizer.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from budget import parameters
from coded.clips import STREAM, Clip, clips, numerals, sentences
from coded.encodec import Encodec
from coded.hearing import Codec, Listener, Samples, measured
from coded.opus import opus
from figures import Figures, Target, publish

from modaloom import api
from modaloom.modalities import MODALITIES
from modaloom.modalities.audio_value import Audio
from modaloom.tokenizers.code_counts import code_usage

OPUS = (6, 9, 12)
"""Kilobits a second."""
TIMED = 10
"""Clips whose decoding is timed."""
TARGETS = [
    Target("STOI", 0.95),
    Target("ESTOI"),
    Target("PESQ", 2.7),
    Target("kbit/s"),
    Target("numerals recognised, of the recordings'", 0.95),
    Target("lowest perplexity of a depth / size", 0.55),
    Target("CPU-seconds a second, encoding"),
    Target("CPU-seconds a second, decoding"),
    Target("parameters"),
]


class Scores:
    """Measures codecs on the same sentences and numerals."""

    def __init__(self, sounds: Sequence[Audio], words: Sequence[Clip]) -> None:
        self.sounds, self.words, self.listener = sounds, words, Listener(words)
        self.recordings = self.listener.recognised([word.sound.samples[0] for word in words])

    def __call__(self, through: Codec) -> dict[str, float]:
        heard = self.listener.recognised([through(word.sound) for word in self.words])
        return {**measured(self.sounds, through), TARGETS[4].name: heard / self.recordings}


def ours(scores: Scores, tokenizer: Any) -> Iterator[tuple[str, Figures]]:
    """Name → figures: by number of codes, and the true spectrogram."""
    sounds, spec = scores.sounds, tokenizer.spec
    start = time.process_time()
    codes = [tokenizer.encode([sound])[0] for sound in sounds]
    encoding = (time.process_time() - start) / sum(sound.seconds for sound in sounds)
    used = code_usage(tokenizer.shape, ([code.numpy()] for code in codes))
    rate = tokenizer.codec.unit_of(spec) / tokenizer.strides[0]
    bits = np.log2(tokenizer.shape.codebook_size) * rate
    for depth in sorted({1, 2, 4, tokenizer.shape.depth}):

        def through(sound: Audio, depth: int = depth) -> Samples:
            back: Audio = tokenizer.decode(tokenizer.encode([sound])[..., :depth])[0]
            return back.samples[0]

        yield (
            f"{depth} codes",
            {
                **scores(through),
                "kbit/s": float(depth * bits / 1000),
                TARGETS[5].name: min(used["perplexity"][:depth]) / tokenizer.shape.codebook_size,
                "CPU-seconds a second, encoding": encoding,
                "CPU-seconds a second, decoding": _seconds_of_decoding(tokenizer, sounds[:TIMED], depth),
                "parameters": float(parameters(tokenizer)),
            },
        )
    signal = MODALITIES["audio"].signal
    yield "spectrogram", scores(lambda sound: signal.unpack(signal.pack(sound, spec), spec).samples[0])


def _seconds_of_decoding(tokenizer: Any, sounds: Sequence[Audio], depth: int) -> float:
    codes = [tokenizer.encode([sound])[..., :depth] for sound in sounds]
    start = time.process_time()
    for code in codes:
        tokenizer.decode(code)
    return (time.process_time() - start) / sum(sound.seconds for sound in sounds)


def encodec(scores: Scores, training: Sequence[Clip], minutes: float) -> Iterator[tuple[str, Figures]]:
    """Name → figures, by number of codes."""
    torch.manual_seed(0)
    model = Encodec()
    steps = model.fit([clip.sound for clip in training], 60 * minutes, seed=0)
    print(f"EnCodec: {steps:,} steps")
    for depth in (2, 4, 8):
        figures = scores(partial(model.through, depth=depth))
        yield f"EnCodec, {depth} codes", {**figures, "parameters": float(parameters(model))}


def columns(asked: argparse.Namespace, tokenizer: Any) -> Iterator[tuple[str, Figures]]:
    scores = Scores(sentences(asked.folder, asked.clips), numerals(asked.folder))
    yield from ours(scores, tokenizer)
    for kilobits in OPUS:
        yield f"Opus {kilobits}", {**scores(partial(opus, kilobits=kilobits)), "kbit/s": kilobits}
    if asked.encodec:
        yield from encodec(scores, [*clips(asked.folder, "train")], asked.encodec)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--run", type=Path, default=Path("runs/codec"))
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--encodec", type=float, default=0, help="minutes of its training")
    parser.add_argument("--set", nargs="+", default=[], help="settings of the training")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    asked = parser.parse_args()
    run = api.train(
        asked.folder,
        out=asked.run,
        streams=[STREAM],
        steps={"audio": asked.steps, "loom": 1},
        settings=asked.set,
        samples=1,
        resume=True,
    )
    found: dict[str, Figures] = {}
    tokenizer = run.model.streams[STREAM].tokenizer
    for name, figures in columns(asked, tokenizer):
        found[name] = figures
        publish(TARGETS, found, asked.json, judged=[f"{tokenizer.shape.depth} codes"])


if __name__ == "__main__":
    main()
