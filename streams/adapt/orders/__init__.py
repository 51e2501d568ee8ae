"""Orders, refunds and tickets as platforms give them, into events.

`records` reads what a format says of them, `facts` takes the facts out of a document, `events` makes events of those.
"""
