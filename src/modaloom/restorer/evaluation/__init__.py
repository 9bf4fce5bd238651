"""How good a Restorer is: its mean and its samples beside what needs no learning."""
