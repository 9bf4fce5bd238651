"""Values to codes and back. A new tokenizer is one file and one line of the table."""

from modaloom.tokenizers.base import Tokenizer
from modaloom.tokenizers.bpe import BPE
from modaloom.tokenizers.direct import Direct
from modaloom.tokenizers.vqvae import VQVAE

__all__ = ["BPE", "TOKENIZERS", "VQVAE", "Direct", "Tokenizer"]

TOKENIZERS: dict[str, type[Tokenizer]] = {"vqvae": VQVAE, "bpe": BPE, "direct": Direct}
