"""The Restorer: a diffusion model of signals that undoes a degradation, or generates one stream."""
