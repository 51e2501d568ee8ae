"""How long tests wait for what has to become true.

One budget for all, of far more than anything takes on a slow machine with much else to do: only a test whose condition
never comes fails by it.
"""

#: Seconds.
PATIENCE = 240.0
#: Seconds of a worker's session that does not run out while a test waits for anything: the longest there is.
LONG_SESSION = 300
