"""Where the rows of a task are kept on the worker's own disk, so that a restart need not read the whole changelog."""
