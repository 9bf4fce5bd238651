"""Spectra of signals over time, as functions on tensors: STFT, log-mel, and the way back to samples."""

from modaloom.spectral.blockwise import decode_pieces
from modaloom.spectral.griffin_lim import griffin_lim
from modaloom.spectral.mel import LogMel
from modaloom.spectral.stft import STFT

__all__ = ["STFT", "LogMel", "decode_pieces", "griffin_lim"]
