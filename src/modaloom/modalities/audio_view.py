"""Sounds to look at and to listen to."""

import base64
import io

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from modaloom.modalities.audio_channels import mixed
from modaloom.modalities.audio_packing import normalize
from modaloom.modalities.audio_rate import resampled
from modaloom.modalities.audio_spec import LOWEST_RATE
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.codec import DataSpec
from modaloom.spectral import LogMel

MAX_HEARD = 30
"""Seconds of a sound that a page holds."""
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
COMPRESSION = 0.7
"""Of libsndfile's MP3, 0 to 1."""
MAX_WIDTH, HEIGHT = 256, 80
"""Most columns of a spectrogram, and its rows."""
PLAYER = f"width: 100%; max-width: {MAX_WIDTH}px; height: 2rem"
COLOURS = np.array([[13, 8, 53], [132, 5, 130], [225, 80, 70], [250, 190, 60], [252, 253, 191]])
"""From silence to full scale."""


def to_html(sound: Audio, spec: DataSpec) -> str:
    """Returns the log-mel spectrogram (low frequencies at the bottom), a player with inline MP3, and what the
    sound is; of a longer one, the first `MAX_HEARD` seconds."""
    channels = {1: "mono", 2: "stereo"}.get(sound.channels, f"{sound.channels} channels")
    facts = f"{sound.seconds:.2f} s, {sound.rate:,} Hz, {channels}"
    heard = Audio(sound.samples[:, : MAX_HEARD * sound.rate], sound.rate)
    look = _uri("image/png", _png(picture(heard, spec)))
    return (
        f'<div><img src="{look}" width="{MAX_WIDTH}" height="{HEIGHT}" '
        f'style="display: block; height: {HEIGHT}px" alt="spectrogram, {facts}">'
        f'<audio controls style="{PLAYER}" src="{_uri("audio/mpeg", _mp3(heard))}"></audio>'
        f"<br><small>{facts}</small></div>"
    )


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _mp3(sound: Audio) -> bytes:
    """At the next rate that MP3 has, at most stereo."""
    rate = next((rate for rate in MP3_RATES if rate >= sound.rate), MP3_RATES[-1])
    samples = resampled(mixed(sound.samples, min(2, sound.channels)), sound.rate, rate)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples.T, rate, format="MP3", compression_level=COMPRESSION)
    return buffer.getvalue()


def picture(sound: Audio, spec: DataSpec) -> Image.Image:
    """Returns the log-mel spectrogram of the mono mix: a column for each 10 ms, or the mean of several."""
    rate = max(LOWEST_RATE, min(MP3_RATES[-1], sound.rate))
    samples = resampled(mixed(sound.samples, 1), sound.rate, rate)
    level = (LogMel(rate).encode(torch.from_numpy(samples[0])).numpy()[::-1] + 1) / 2
    image = Image.fromarray(_coloured(level))
    return image.resize((min(image.width, MAX_WIDTH), image.height), Image.Resampling.BOX)


def look(packed: Tensor) -> Tensor:
    """Packed log-mels int16 (B, C, n) → uint8 (B, 3, C, n), low frequencies at the bottom."""
    level = (normalize(packed).flip(1) + 1) / 2
    return torch.from_numpy(_coloured(level.numpy())).permute(0, 3, 1, 2)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.quantize(64).save(buffer, "PNG")
    return buffer.getvalue()


def _coloured(level: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Values in 0..1 (…, H, W) → uint8 (…, H, W, 3)."""
    places = np.linspace(0, 1, len(COLOURS))
    bands = [np.interp(level, places, COLOURS[:, c]) for c in range(3)]
    return np.stack(bands, -1).round().astype(np.uint8)
