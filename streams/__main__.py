"""`python -m streams` is the command `parcelwatch`."""

from streams.cli.main import main

main()
