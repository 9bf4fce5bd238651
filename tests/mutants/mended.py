"""Restorers of sounds, broken."""

from mutant import Mutant

SINC, GAPS = "degradations/test_sinc.py", "spectral/test_autoregression.py"
RESTORED = "restorer/test_sound_tasks.py"
MASKS, KEPT = "modalities/test_scale.py", "loom/test_long_sounds.py"
LENGTHS = "restorer/test_sound_restoration.py::test_a_sound_of"

MENDED = (
    Mutant(
        "noise of another window",
        "spectral/wiener.py",
        ".square().sum())",
        ".sum())",
        "spectral/test_wiener.py",
    ),
    Mutant(
        "a ratio that forgets the last frame",
        "spectral/wiener.py",
        "before = gain.square() * ratio",
        "before = 0 * ratio",
        "spectral/test_wiener.py",
    ),
    Mutant(
        "a low pass that is no constant's",
        "degradations/sinc.py",
        "weights[phase::factor] /= weights[phase::factor].sum()",
        "pass",
        SINC,
    ),
    Mutant(
        "a low pass without its window",
        "degradations/sinc.py",
        "torch.sinc(place / factor) * window",
        "torch.sinc(place / factor)",
        SINC,
    ),
    Mutant(
        "missing samples that do not see the known ones on their right",
        "spectral/autoregression.py",
        "self.by_lag[1:-1].flip(0), self.by_lag[:-1]]",
        "self.by_lag[1:-1].flip(0), self.by_lag[:1], 0 * self.by_lag[1:-1]]",
        GAPS,
    ),
    Mutant(
        "missing samples from the first filter",
        "spectral/autoregression.py",
        "prediction_error(filled, order)",
        "prediction_error(block, order)",
        GAPS,
    ),
    Mutant(
        "missing samples at the end of a sound that is silent afterwards",
        "spectral/autoregression.py",
        " - self._end(last - rows, last - columns)",
        "",
        GAPS,
    ),
    Mutant(
        "block elimination that forgets what the block before told",
        "spectral/autoregression.py",
        "diagonal[k + 1] = diagonal[k + 1] - gain @ left.mT",
        "pass",
        GAPS,
    ),
    Mutant(
        "a low band with what the network adds",
        "restorer/tasks/bandwidth.py",
        "return consistent(answer, small, factor, signals.scale)",
        "return signals.scale.clamp(2 * answer - 0.5)",
        RESTORED,
    ),
    Mutant(
        "levels of magnitudes, not of decibels",
        "restorer/tasks/bandwidth.py",
        "return 1 - decibels / FLOOR_DB",
        "return 10 ** (decibels / 20)",
        RESTORED,
    ),
    Mutant(
        "clipped samples below the level",
        "restorer/tasks/declip.py",
        "torch.where(top, found.maximum(held), ",
        "torch.where(top, found, ",
        RESTORED,
    ),
    Mutant(
        "bottoms above the level",
        "restorer/tasks/declip.py",
        "found.minimum(held), held)",
        "found, held)",
        RESTORED,
    ),
    Mutant(
        "samples beside gaps, predicted",
        "restorer/tasks/inpaint.py",
        "torch.where(known > 0, signal, signals.scale.clamp(restored))",
        "signals.scale.clamp(restored)",
        RESTORED,
    ),
    Mutant(
        "super-resolution of a sound at its own rate",
        "modalities/audio.py",
        '"rate": facts["rate"] // factor',
        '"rate": facts["rate"]',
        f"{LENGTHS}_half_of_the_rate_has_twice_as_many_samples",
    ),
    Mutant(
        "a sound longer or shorter than its source",
        "modalities/audio.py",
        "resampled_length(sound.samples.shape[1], sound.rate, made.rate)",
        "made.samples.shape[1]",
        f"{LENGTHS}_the_rate_keeps_its_length_and_channels",
    ),
    Mutant(
        "marks of a sound that run into each other",
        "modalities/unit.py",
        " & (_closed(loudness, DIP) > SILENT * peak)",
        "",
        MASKS,
    ),
    Mutant(
        "a mask of a sound at a rate of its own",
        "modalities/unit.py",
        "mask = codec.join([codec.matched(channel, facts) for channel in codec.parts(mask)])",
        "pass",
        MASKS,
    ),
    Mutant(
        "a filled gap that makes a sound longer",
        "loom/model.py",
        "made if is_longer else tokenizer.trimmed(made, value)",
        "made",
        KEPT,
    ),
    Mutant(
        "sounds of different lengths, refined as whole ones",
        "restorer/signal_dataset.py",
        "None if spec is None or VARIABLE in spec else spec",
        "spec",
        KEPT,
    ),
    Mutant(
        "a waveform of no samples",
        "modalities/waveform.py",
        "packed if packed.shape[1] else np.zeros_like(packed, shape=(len(packed), 1))",
        "packed",
        "tokenizers/test_waveform.py",
    ),
)
