"""Codecs of speech side by side: ours, those of others, and what hears them."""
