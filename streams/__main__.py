"""`python -m streams` is the command `parcelwatch`."""

from streams.cli import main

main()
