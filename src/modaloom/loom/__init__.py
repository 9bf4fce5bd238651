"""The Loom: any subset of the streams → any subset, by one diffusion model over the codes of all streams."""
