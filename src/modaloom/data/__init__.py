"""A folder of files becomes samples, values and memory-mapped arrays."""
