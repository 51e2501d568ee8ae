"""`parcelwatch grow`: an application on topics with other numbers of partitions takes over from the one beside it.

1. The input topics are copied into new ones, and what comes into them later is copied as it comes (`copying`).
2. Workers of the new application read the new topics *muted*: what they say goes into topics of their own.
3. Producers write into the new topics; then the old application ends.
4. What the new application has said and the old one has not is put out, what the old one has left open and the new one
   knows nothing of is resolved, and the tables are put out, all in one transaction (`difference`, `run`).
5. The new application goes on, no longer muted.
"""
