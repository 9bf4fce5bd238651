"""Small codecs with random weights, as transformers writes them to disk."""

from pathlib import Path
from typing import Any

import torch

RATE = 8000
SEA: dict[str, Any] = {
    **{"sampling_rate": RATE, "hidden_size": 8, "num_filters": 4, "upsampling_ratios": [4, 2]},
    **{"codebook_size": 16, "codebook_dim": 8},
}
SETTINGS: dict[str, dict[str, Any]] = {
    "Encodec": {**SEA, "num_lstm_layers": 1, "target_bandwidths": [4.0, 12.0]},
    "Dac": {
        **{"sampling_rate": RATE, "encoder_hidden_size": 4, "decoder_hidden_size": 16, "n_codebooks": 3},
        **{"downsampling_ratios": [2, 5], "codebook_size": 16, "codebook_dim": 4},
    },
    "Mimi": {
        **{**SEA, "hidden_size": 16, "vector_quantization_hidden_dimension": 8, "num_quantizers": 4},
        **{"num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2},
        **{"intermediate_size": 16, "upsample_groups": 16, "num_semantic_quantizers": 1},
    },
}
SPREAD = {"Encodec": 0.3, "Dac": 1.0, "Mimi": 2.0}
"""Of the vectors in codebooks, about that of what they quantize."""


def write_codec(name: str, directory: Path, **settings: Any) -> Any:
    """A codec of transformers, saved, with weights and codebooks of a scale that sounds keep."""
    import transformers

    config = getattr(transformers, f"{name}Config")(**SETTINGS[name] | settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        codec = getattr(transformers, f"{name}Model")(config)
        for key, tensor in codec.state_dict().items():
            if key.endswith("bias"):
                tensor.zero_()
            elif key.endswith("original0"):
                tensor.mul_(1.6)
            elif key.endswith((".embed", ".embed_sum", ".codebook.weight")):
                tensor.normal_(std=SPREAD[name])
            elif name == "Dac" and not key.endswith("alpha"):
                tensor.normal_(std=tensor[0].numel() ** -0.5)
    codec.eval().save_pretrained(directory)
    return codec
