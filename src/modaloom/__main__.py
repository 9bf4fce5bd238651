"""`python -m modaloom`."""

from modaloom.cli import main

main()
