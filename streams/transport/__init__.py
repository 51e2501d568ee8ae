"""A Faust transport that hands over whole batches instead of single records."""
