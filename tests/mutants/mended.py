"""Restorers of sounds, broken."""

from mutant import Mutant

SINC, GAPS = "degradations/test_sinc.py", "spectral/test_autoregression.py"
RESTORED = "restorer/test_sound_tasks.py"
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
        "weights[1:].flip(0), weights]",
        "weights[1:].flip(0), weights[:1], 0 * weights[1:]]",
        GAPS,
    ),
    Mutant(
        "missing samples from the first filter",
        "spectral/autoregression.py",
        "prediction_error(filled), ORDER",
        "prediction_error(block), ORDER",
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
        "if aligned and sound.rate == made.rate:",
        "if False:",
        f"{LENGTHS}_the_rate_keeps_its_length_and_channels",
    ),
)
