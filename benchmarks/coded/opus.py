"""libopus at a bit rate, through PyAV."""

import io

import av
import numpy as np
from numpy.typing import NDArray

from modaloom.modalities.audio_value import Audio

OPUS_RATE = 48_000


def opus(sound: Audio, kilobits: int) -> NDArray[np.float32]:
    """Mono sound → samples (n,) after encoding and decoding, at its own rate."""
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
