"""The tokenizer of speech as a codec: intelligibility and quality by bit rate, beside Opus.

pip install 'modaloom[codec]'
python examples/prompts.py prompts
python benchmarks/codec.py prompts [--steps 3000] [--clips 40] [--run RUN] [--json FILE]

Trains the tokenizer of the stream `speech` on the training sentences (an existing RUN is reused) and scores
sentences that are in no training: STOI (Taal et al. 2011), extended STOI, and wide-band PESQ (ITU-T P.862.2),
means over clips. `spectrogram` is the true log-mel through Griffin–Lim, the ceiling of a tokenizer that keeps
it.
"""

import argparse
import io
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import fmean
from typing import Any

import av
import numpy as np
from figures import Figures, Target, publish
from numpy.typing import NDArray
from pesq import NoUtterancesError, pesq
from pystoi import stoi

from modaloom import api
from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader
from modaloom.modalities import MODALITIES
from modaloom.modalities.audio_value import Audio
from modaloom.spectral.mel import HOPS_PER_SECOND

STREAM, RATE, OPUS_RATE = "speech", 16_000, 48_000
OPUS = (6, 9, 12)
"""Kilobits a second."""
SHORTEST = 0.8
"""Seconds below which neither measure is defined."""
TARGETS = [
    Target("STOI", 0.95),
    Target("ESTOI"),
    Target("PESQ", 2.7),
    Target("kbit/s"),
    Target("CPU-seconds a second, encoding"),
    Target("CPU-seconds a second, decoding"),
]
Samples = NDArray[np.float32]
Codec = Callable[[Audio], Samples]


def clips(folder: Path, n: int) -> list[Audio]:
    """Held-out sentences."""
    index = open_folder(folder)
    reader = Reader(index, streams=[STREAM])
    test = [sample for sample in index.samples if (index.splits or {}).get(sample.key) == "test"]
    found = (reader.value(sample, STREAM) for sample in test)
    return [sound for sound in found if sound is not None and sound.seconds >= SHORTEST][:n]


def opus(kilobits: int) -> Codec:
    """Through libopus and back."""

    def through(sound: Audio) -> Samples:
        buffer = io.BytesIO()
        with av.open(buffer, "w", format="ogg") as container:
            stream = container.add_stream("libopus", rate=OPUS_RATE, layout="mono")
            stream.bit_rate = 1000 * kilobits
            frame = av.AudioFrame.from_ndarray(
                (sound.samples * 32767).astype(np.int16), format="s16", layout="mono"
            )
            frame.sample_rate = sound.rate
            resampler = av.AudioResampler("s16", "mono", OPUS_RATE)
            for part in [*resampler.resample(frame), *resampler.resample(None), None]:
                container.mux(stream.encode(part))
        buffer.seek(0)
        back = av.AudioResampler("s16", "mono", sound.rate)
        with av.open(buffer) as container:
            frames = [f for one in container.decode(audio=0) for f in back.resample(one)]
            frames += back.resample(None)
        return np.concatenate([f.to_ndarray()[0] for f in frames]).astype(np.float32) / 32767

    return through


def measured(sounds: Sequence[Audio], through: Codec) -> Figures:
    """Means over the clips, of the samples that both have."""
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


def columns(sounds: Sequence[Audio], tokenizer: Any) -> Iterator[tuple[str, Figures]]:
    """Name → figures."""
    modality = MODALITIES["audio"]

    def spectrogram(sound: Audio) -> Samples:
        spec = tokenizer.spec
        back: Audio = modality.signal.unpack(modality.signal.pack(sound, spec), spec)
        return back.samples[0]

    start = time.process_time()
    codes = [tokenizer.encode([sound])[0] for sound in sounds]
    encoding = (time.process_time() - start) / sum(sound.seconds for sound in sounds)
    bits = np.log2(tokenizer.shape.codebook_size) * HOPS_PER_SECOND / tokenizer.strides[0]
    for depth in sorted({1, 2, 4, tokenizer.shape.depth}):
        found = {id(sound): code[..., :depth] for sound, code in zip(sounds, codes)}

        def through(sound: Audio, found: Any = found) -> Samples:
            back: Audio = tokenizer.decode(found[id(sound)][None])[0]
            return back.samples[0]

        start = time.process_time()
        for sound in sounds[:10]:
            through(sound)
        seconds = sum(sound.seconds for sound in sounds[:10])
        yield (
            f"{depth} codes",
            {
                **measured(sounds, through),
                "kbit/s": float(depth * bits / 1000),
                "CPU-seconds a second, encoding": encoding,
                "CPU-seconds a second, decoding": (time.process_time() - start) / seconds,
            },
        )
    yield "spectrogram", measured(sounds, spectrogram)
    for kilobits in OPUS:
        yield f"Opus {kilobits}", {**measured(sounds, opus(kilobits)), "kbit/s": kilobits}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--run", type=Path, default=Path("runs/codec"))
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--set", nargs="+", default=[], help="settings of the training")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    steps = {"audio": options.steps, "loom": 1}
    run = api.train(
        options.folder,
        out=options.run,
        streams=[STREAM],
        steps=steps,
        settings=options.set,
        samples=1,
        resume=True,
    )
    found: dict[str, Figures] = {}
    for name, figures in columns(clips(options.folder, options.clips), run.model.streams[STREAM].tokenizer):
        found[name] = figures
        publish(TARGETS, found, options.json)


if __name__ == "__main__":
    main()
