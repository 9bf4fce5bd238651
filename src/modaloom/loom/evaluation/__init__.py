"""How good a Loom is: every direction beside what it must beat, likelihoods, suspicious pairs."""
