"""Off-the-shelf parts: a classic VQ-VAE around vector-quantize-pytorch, and a masked transformer."""
