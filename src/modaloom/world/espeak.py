"""Speech by espeak-ng, from the wheel `espeakng-loader` (extra `speech`): no files, no second process.

The pitch flutters with a state that outlives even the library's own termination. So the library is loaded
anew for every speaker and unloaded after it: what a speaker says depends on what it has said alone.
"""

import ctypes
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modaloom.core.errors import BadValue

Say = Callable[[str, int], NDArray[np.float32]]
"""English text, words a minute (80–450) → samples (n,) in [-1, 1]."""

SYNCHRONOUS, DONT_EXIT, UTF8, RATE, PITCH = 2, 0x8000, 1, 1, 3
"""Constants of espeak-ng's speak_lib.h."""
HERTZ = 22_050
"""Samples a second of all that it says."""
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
LOCK = Lock()


@contextmanager
def speaker(voice: str, *, pitch: int = 50) -> Iterator[Say]:
    """A voice at HERTZ; in a process, only one speaks at a time.

    Args:
        voice: a name of espeak-ng, with a variant after a plus: `en-gb-scotland+f2`.
        pitch: 0–99.

    Raises:
        BadValue: where espeak-ng is not installed, or has no such voice.
    """
    try:
        import espeakng_loader
    except ImportError:
        raise BadValue("streams of speech need espeak-ng: pip install 'modaloom[speech]'") from None
    with LOCK:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
        try:
            yield _start(library, str(espeakng_loader.get_data_path()), voice, pitch)
        finally:
            library.espeak_Terminate()
            importlib.import_module("_ctypes").dlclose(library._handle)


def _start(library: Any, data: str, voice: str, pitch: int) -> Say:
    pieces: list[NDArray[np.int16]] = []

    def take(samples: Any, count: int, events: Any) -> int:
        if count:
            pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    library.espeak_Initialize(SYNCHRONOUS, 0, data.encode(), DONT_EXIT)
    library.espeak_ng_SetRandSeed(0)
    callback = CALLBACK(take)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(f"gmw/{voice}".encode()):
        raise BadValue(f"espeak-ng has no voice {voice!r}")
    library.espeak_SetParameter(PITCH, pitch, 0)

    def say(text: str, rate: int, kept: Any = callback) -> NDArray[np.float32]:
        pieces.clear()  # the callback is kept: the library has only its address
        library.espeak_SetParameter(RATE, rate, 0)
        words = text.encode()
        library.espeak_Synth(words, len(words) + 1, 0, 0, 0, UTF8, None, None)
        said: NDArray[np.float32] = np.concatenate(pieces).astype(np.float32) / np.float32(2**15)
        return said

    return say
