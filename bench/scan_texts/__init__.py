"""How well the texts of scans are understood, on labelled texts.

`tuned.tsv` holds the texts that the grammar was made with, `unseen.tsv` those that were written down and
labelled before it was tried on them. A line is status, language, text; the status `-` says only that the
text ends nothing.
"""
