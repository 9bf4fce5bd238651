"""Speech of the world, recognised by its parser and, for a second opinion, by pocketsphinx.

python benchmarks/spoken.py [--n 100] [--seed 0] [--split test-level2]

Needs `pip install 'modaloom[recognition]'`. The grammar of pocketsphinx holds all sentences of the four slots
in all nine orders of words: 7,776, which differ by single words. Noise of 0.003 is added to sounds of peak
0.6, without which its model hears less. Controls: sounds and facts of different scenes, and noise alone.
"""

import argparse

import numpy as np
import pocketsphinx

from modaloom.modalities.audio_value import Audio
from modaloom.world import STREAMS
from modaloom.world.parsers import PARSERS
from modaloom.world.parsers.spoken_words import SAID
from modaloom.world.splits import SPLITS, scene

NOISE, PEAK = 0.003, 0.6
SPELLING = {"centre": "center"}
"""As the dictionary of pocketsphinx has it."""
ORDERS = (
    "<size> <colour> <shape> <position>",
    "<colour> <size> <shape> <position>",
    "<position> <size> <colour> <shape>",
    "<position> <colour> <shape> <size>",
    "<shape> <size> <colour> <position>",
    "<size> <shape> <position> <colour>",
    "<position> <shape> <colour> <size>",
    "<colour> <shape> <size> <position>",
    "<position> <size> <shape> <colour>",
)


def recogniser() -> pocketsphinx.Decoder:
    rules = [
        f"<{slot}> = {' | '.join(' '.join(SPELLING.get(w, w) for w in phrase.split()) for phrase in means)};"
        for slot, means in SAID.items()
    ]
    grammar = "\n".join(["#JSGF V1.0;", "grammar short;", *rules, f"public <short> = {' | '.join(ORDERS)};"])
    decoder = pocketsphinx.Decoder(samprate=16000, lm=None, loglevel="FATAL")
    decoder.add_jsgf_string("short", grammar)
    decoder.activate_search("short")
    return decoder


def heard(decoder: pocketsphinx.Decoder, sound: Audio, rng: np.random.Generator) -> dict[str, str]:
    """Slot → value of what pocketsphinx hears; nothing for a slot that it does not."""
    samples = sound.samples[0] * (PEAK / np.abs(sound.samples).max())
    noisy = np.clip(samples + NOISE * rng.standard_normal(len(samples)), -1, 1)
    decoder.start_utt()
    decoder.process_raw((noisy * 32767).astype(np.int16).tobytes(), full_utt=True)
    decoder.end_utt()
    said = f" {decoder.hyp().hypstr if decoder.hyp() else ''} ".replace("center", "centre")
    return {
        slot: value for slot, means in SAID.items() for word, value in means.items() if f" {word} " in said
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=SPLITS, default="test-level2")
    asked = parser.parse_args()
    rng, decoder = np.random.default_rng(asked.seed), recogniser()
    scenes = [scene(asked.seed, asked.split, i) for i in range(asked.n)]
    noise = [Audio(rng.uniform(-0.1, 0.1, (1, 32000)).astype(np.float32), 16000) for _ in scenes]
    print(f"{'stream':16} {'parser':>8} {'pocketsphinx':>13} {'shuffled':>9} {'noise':>6}   slots right")
    for name in ("speech", "speech.robot", "speech.narrow"):
        sounds = [STREAMS[name].render(one) for one in scenes]
        parsed = [PARSERS[name](sound) for sound in sounds]
        second = [heard(decoder, sound, rng) for sound in sounds]
        nothing = [heard(decoder, sound, rng) for sound in noise]
        facts = [one.facts for one in scenes]
        columns = (parsed, facts), (second, facts), (second, facts[1:] + facts[:1]), (nothing, facts)
        shares = [
            np.mean([said.get(slot) == true[slot] for said, true in zip(*column) for slot in SAID])
            for column in columns
        ]
        print(f"{name:16} {shares[0]:8.3f} {shares[1]:13.3f} {shares[2]:9.3f} {shares[3]:6.3f}")


if __name__ == "__main__":
    main()
