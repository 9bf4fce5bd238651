"""What hears a codec: STOI, PESQ, and pocketsphinx with a grammar of confusable words."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from statistics import fmean

import numpy as np
import pocketsphinx
from figures import Figures
from numpy.typing import NDArray
from pesq import NoUtterancesError, pesq
from pystoi import stoi

from coded.clips import Clip
from modaloom.modalities.audio_value import Audio

Samples = NDArray[np.float32]
Codec = Callable[[Audio], Samples]
"""Sound → samples (n,) after encoding and decoding."""
SPELLING = {"fourtieth": "fortieth", "a.m.": "a m", "p.m.": "p m"}
"""As the dictionary of pocketsphinx has it."""
SILENCE = 0.3
"""Seconds before and after a word, which its models want."""
NOISE, PEAK = 0.003, 0.6


def measured(sounds: Sequence[Audio], through: Codec) -> Figures:
    """Means over the sounds, of the samples that both have."""
    found: dict[str, list[float]] = {"STOI": [], "ESTOI": [], "PESQ": []}
    for sound in sounds:
        truth, made = sound.samples[0], through(sound)
        n = min(len(truth), len(made))
        truth, made = truth[:n].astype(np.float64), made[:n].astype(np.float64)
        found["STOI"].append(float(stoi(truth, made, sound.rate)))
        found["ESTOI"].append(float(stoi(truth, made, sound.rate, extended=True)))
        with suppress(NoUtterancesError):  # nothing that it takes for speech
            found["PESQ"].append(float(pesq(sound.rate, truth, made, "wb")))
    return {name: fmean(values) for name, values in found.items()}


class Listener:
    """Recognises which of the words a clip says."""

    def __init__(self, words: Sequence[Clip]) -> None:
        self.words = [_spelled(clip.text) for clip in words]
        self.decoder = pocketsphinx.Decoder(samprate=16000, lm=None, loglevel="FATAL")
        choices = " | ".join(sorted({*self.words}))
        self.decoder.add_jsgf_string("words", f"#JSGF V1.0;\ngrammar words;\npublic <word> = {choices};")
        self.decoder.activate_search("words")

    def recognised(self, sounds: Sequence[Samples]) -> float:
        """Share of the words' sounds that are heard as their words."""
        rng = np.random.default_rng(0)
        heard = [self._heard(samples, rng) for samples in sounds]
        return fmean(word == said for word, said in zip(self.words, heard, strict=True))

    def _heard(self, samples: Samples, rng: np.random.Generator) -> str:
        margin = round(SILENCE * 16000)
        padded = np.pad(samples * (PEAK / max(np.abs(samples).max(), 1e-9)), (margin, margin))
        noisy = np.clip(padded + NOISE * rng.standard_normal(len(padded)), -1, 1)
        self.decoder.start_utt()
        self.decoder.process_raw((noisy * 32767).astype(np.int16).tobytes(), full_utt=True)
        self.decoder.end_utt()
        return self.decoder.hyp().hypstr if self.decoder.hyp() else ""


def _spelled(text: str) -> str:
    text = text.lower().strip()
    return re.sub(r"[^a-z' ]", " ", SPELLING.get(text, text)).strip()
