"""Restorers of sounds, beside methods without learning, on held-out recordings.

python benchmarks/sound_restore.py FOLDER [--tasks superres denoise declip inpaint] [--minutes 5] [--json F]

FOLDER has 16 kHz recordings with splits, such as examples/prompts.py writes. Each task and seed is a training
of its own. Inputs: superres, half of the rate by an ideal low pass (FFT), 16 bits; denoise, white noise of
0.02 of the range; declip, clipped at 0.3 of the peak; inpaint, gaps of 20 ms, 4 a second.

- Log-spectral distance, 4 to 8 kHz: √(mean over frequencies of squared differences of dB), averaged over
  frames (Gray & Markel 1976, doi 10.1109/TASSP.1976.1162849, eq. 5, of spectra, as Kuleshov et al. 2017,
  arXiv 1708.00853, §4), Hann windows of 512 every 128 samples and, apart from any transform of the product,
  of 2,048 every 512. Levels below FLOOR_DB are FLOOR_DB: else what an empty band is scored is that of log 0.
  Two independent noises of one spectrum have 7.9 dB.
- Mirroring: zeros between the samples, above 4 kHz, at the gain that is best for each recording's distance.
- Low band: signal to noise ratio of the answer at half of its rate, by the ideal low pass, to the input.
- Wiener: that of the true noise level with the decision-directed a-priori ratio (Ephraim & Malah 1984, doi
  10.1109/TASSP.1984.1164453, eq. 51).
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from figures import Figures, Target, arguments, by_seed, publish
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.signal import istft, resample, stft

import modaloom
from modaloom.core.rng import derive, permutation
from modaloom.data.folder import open_folder
from modaloom.evaluation.held_out import split_of
from modaloom.metrics.si_sdr import si_sdr
from modaloom.modalities.audio import AUDIO, WAVE
from modaloom.modalities.audio_value import Audio
from modaloom.restorer.restoration import RestoredRun, RestoreOptions
from modaloom.restorer.tasks import Signals
from modaloom.spectral.autoregression import fill_gaps

RATE, FLOOR_DB = 16_000, -100.0
GAINS = range(-45, 6, 3)
"""dB of mirrored bands that are tried."""
SIGMA, CLIP, GAP, EVERY = 0.02, 0.3, 320, 4_000
WORSE, LOW, SAMPLED = "superres: distance / best of both", "superres: low band, dB", "sample"
Wave = NDArray[np.float64]
"""(n,), in [-1, 1]."""
Scored = Iterator[tuple[str, float]]


def decibels(wave: Wave, window: int) -> Wave:
    """(frequencies above 4 kHz, frames)."""
    _, _, spectrum = stft(wave, window="hann", nperseg=window, noverlap=window * 3 // 4)
    high = np.abs(spectrum[window // 4 + 1 :]) * 2
    return 20 * np.log10(np.maximum(high, 10 ** (FLOOR_DB / 20)))


def distance(wave: Wave, truth: Wave, window: int = 512) -> float:
    off = decibels(wave, window) - decibels(truth, window)
    return float(np.sqrt(np.square(off).mean(0)).mean())


def snr(wave: Wave, truth: Wave) -> float:
    return float(10 * np.log10(np.square(truth).sum() / max(np.square(wave - truth).sum(), 1e-20)))


def rounded(wave: Wave) -> Wave:
    return np.round(wave * 32768).clip(-32768, 32767) / 32768


def answer(run: RestoredRun, held: Wave, rate: int = RATE, **options: object) -> Wave:
    made = run.restore((held[None].astype(np.float32), rate), RestoreOptions(**options))
    found: Wave = made.samples[0].astype(np.float64)
    return found


def mirrored(small: Wave, truth: Wave) -> Wave:
    """The input's image at its best gain."""
    sinc, spread = resample(small, len(truth)), np.zeros(len(truth))
    spread[::2] = 2 * small[: len(spread[::2])]
    tried = (sinc + 10 ** (gain / 20) * (spread - sinc) for gain in GAINS)
    return min(tried, key=lambda wave: distance(wave, truth))


def filtered(run: RestoredRun, small: Wave) -> Wave:
    """What the run's linear filter alone answers."""
    task, options = run.restoration.task, run.restoration.options
    held = Signals(input=WAVE.to_unit(np.round(small * 32768).astype(np.int16)[None]), scale=WAVE)
    example = task.build_condition(held, options)
    nothing = torch.zeros_like(example.target)
    found: Wave = WAVE.from_unit(task.finalize(nothing, example, held, options))[0] / 32768
    return found


def superres(run: RestoredRun, truth: Wave, noise: np.random.Generator) -> Scored:
    truth = truth[: len(truth) // 2 * 2]
    small = rounded(resample(truth, len(truth) // 2))
    found = {
        "sinc": resample(small, len(truth)),
        "mirroring": mirrored(small, truth),
        "linear filter": filtered(run, small),
        "mean": answer(run, small, RATE // 2),
        SAMPLED: answer(run, small, RATE // 2, mode="sample"),
    }
    assert all(len(wave) == len(truth) for wave in found.values())
    for name, wave in found.items():
        yield f"superres: {name}, dB", distance(wave, truth)
        yield f"superres: {name}, windows of 2,048", distance(wave, truth, 2048)
    yield LOW, snr(resample(found["mean"], len(small)), small)


def wiener(noisy: Wave, sigma: float) -> Wave:
    """Decision-directed, smoothing 0.98, least gain -25 dB."""
    _, _, spectrum = stft(noisy, window="hann", nperseg=512, noverlap=384)
    power = np.abs(spectrum) ** 2 / (sigma**2 * 1.5 / 512)
    found, before = np.empty_like(power), np.zeros(len(power))
    for frame, ratio in enumerate(power.T):
        prior = np.maximum(0.98 * before + 0.02 * np.maximum(ratio - 1, 0), 10**-2.5)
        found[:, frame] = prior / (1 + prior)
        before = found[:, frame] ** 2 * ratio
    cleaned: Wave = istft(found * spectrum, window="hann", nperseg=512, noverlap=384)[1][: len(noisy)]
    return cleaned


def denoise(run: RestoredRun, truth: Wave, noise: np.random.Generator) -> Scored:
    held = rounded(truth + 2 * SIGMA * noise.standard_normal(len(truth)))
    found = {"input": held, "Wiener": wiener(held, 2 * SIGMA), "mean": answer(run, held)}
    for name, wave in found.items():
        yield f"denoise: {name}, SI-SDR", si_sdr(wave, truth)


def spline(held: Wave, known: NDArray[np.bool_]) -> Wave:
    places = np.arange(len(held))
    found: Wave = CubicSpline(places[known], held[known])(places)
    return found


def by_prediction(held: Wave, known: NDArray[np.bool_]) -> Wave:
    found: Wave = fill_gaps(torch.from_numpy(held), torch.from_numpy(known)).numpy()
    return found


def declip(run: RestoredRun, truth: Wave, noise: np.random.Generator) -> Scored:
    level = CLIP * np.abs(truth).max()
    held = rounded(truth.clip(-level, level))
    known = (held < held.max()) & (held > held.min())
    top, bottom = held == held.max(), held == held.min()
    found = {"input": held, "cubic": spline(held, known), "autoregression": by_prediction(held, known)}
    for name, wave in found.items():
        found[name] = np.where(top, np.maximum(wave, held), np.where(bottom, np.minimum(wave, held), held))
    found["mean"] = answer(run, held, options={"gain": 1})
    assert np.array_equal(found["mean"][known], held[known])
    for name, wave in found.items():
        yield f"declip: {name}, SI-SDR", si_sdr(wave, truth)
        yield f"declip: {name}, dB where clipped", snr(wave[~known], truth[~known])


def inpaint(run: RestoredRun, truth: Wave, noise: np.random.Generator) -> Scored:
    known = np.ones(len(truth), bool)
    for start in range(EVERY // 2, len(truth) - GAP, EVERY):
        known[start : start + GAP] = False
    if not np.abs(truth[~known]).any():
        return
    held, places = np.where(known, truth, 0), np.arange(len(truth))
    found = {
        "linear": np.interp(places, places[known], held[known]),
        "autoregression": by_prediction(held, known),
        "mean": answer(run, held, mask=((~known)[None].astype(np.float32), RATE)),
    }
    assert np.array_equal(found["mean"][known], held[known])
    for name, wave in found.items():
        yield f"inpaint: {name}, dB in the gaps", snr(wave[~known], truth[~known])


TASKS: Mapping[str, Callable[[RestoredRun, Wave, np.random.Generator], Scored]] = {
    "superres": superres,
    "denoise": denoise,
    "declip": declip,
    "inpaint": inpaint,
}


def recordings(run: RestoredRun, folder: Path, clips: int) -> list[Wave]:
    """Held-out ones, that are not silent."""
    index = open_folder(folder)
    of, stream = split_of(run.run.data, index), run.restoration.plan.streams[-1]
    files = [s.streams[stream] for s in index.samples if of[s.key].startswith("test") and stream in s.streams]
    chosen = [files[i] for i in permutation(len(files), 0, "recordings")[:clips].tolist()]
    sounds: list[Audio] = [AUDIO.read(Path(str(file))) for file in chosen]
    waves = [sound.samples[0].astype(np.float64) for sound in sounds if sound.rate == RATE]
    return [wave for wave in waves if np.abs(wave).max() > 0.01]


def judge(folder: Path, stream: str, tasks: list[str], minutes: float, clips: int, seed: int) -> Figures:
    figures: dict[str, float] = {}
    for task in tasks:
        with tempfile.TemporaryDirectory() as place:
            run = modaloom.train(
                folder, out=f"{place}/run", task=task, streams=[stream], minutes=minutes, seed=seed, samples=1
            )
            scored: dict[str, list[float]] = {}
            for i, wave in enumerate(recordings(run, folder, clips)):
                noise = np.random.default_rng(derive(0, "noise", i) % 2**32)
                for name, value in TASKS[task](run, wave, noise):
                    scored.setdefault(name, []).append(value)
        figures |= {name: float(np.mean(values)) for name, values in scored.items()}
        print({name: round(value, 2) for name, value in figures.items()}, flush=True)
    if "superres" in tasks:
        best = min(figures[f"superres: {name}, dB"] for name in ("sinc", "mirroring"))
        figures[WORSE] = figures["superres: mean, dB"] / best
    return figures


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stream", default="speech")
    parser.add_argument("--tasks", nargs="+", choices=[*TASKS], default=[*TASKS])
    parser.add_argument("--minutes", type=float, default=5, help="of each training")
    parser.add_argument("--clips", type=int, default=40, help="held-out recordings that are scored")
    asked = parser.parse_args()
    judged = partial(judge, asked.folder, asked.stream, asked.tasks, asked.minutes, asked.clips)
    columns = by_seed({seed: judged(seed) for seed in asked.seeds})
    bounds = {WORSE: Target(WORSE, 0.7, "≤"), LOW: Target(LOW, 40)}
    publish([bounds.get(name, Target(name)) for name in columns["median"]], columns, asked.json)


if __name__ == "__main__":
    main()
