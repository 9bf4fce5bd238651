"""The Restorer: a conditional diffusion model in signal space that restores or generates one stream."""
