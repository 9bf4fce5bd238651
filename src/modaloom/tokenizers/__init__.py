"""Tokenizers: values ↔ codes. A new tokenizer is one file and one entry in `TOKENIZERS`."""

from modaloom.tokenizers.autoencoder import AutoencoderTokenizer
from modaloom.tokenizers.base import Tokenizer
from modaloom.tokenizers.bpe import BPE
from modaloom.tokenizers.byte_vqvae import ByteVQVAE
from modaloom.tokenizers.categorical import CategoricalTokenizer
from modaloom.tokenizers.codec import CodecTokenizer
from modaloom.tokenizers.text_file import TextFile
from modaloom.tokenizers.vqvae import VQVAETokenizer
from modaloom.tokenizers.waveform import WaveformTokenizer

__all__ = ["BPE", "TOKENIZERS", "CategoricalTokenizer", "Tokenizer", "VQVAETokenizer", "WaveformTokenizer"]

TOKENIZERS: dict[str, type[Tokenizer]] = {
    "vqvae": VQVAETokenizer,
    "waveform": WaveformTokenizer,
    "bpe": BPE,
    "byte_vqvae": ByteVQVAE,
    "categorical": CategoricalTokenizer,
    "autoencoder": AutoencoderTokenizer,
    "codec": CodecTokenizer,
    "text_file": TextFile,
}
