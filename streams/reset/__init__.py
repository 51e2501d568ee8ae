"""`parcelwatch reset`: an application begins anew, from the beginning of its inputs or from a time."""
