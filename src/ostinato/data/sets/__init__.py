"""Which public data sets are known: one file for each family, with its sources, checksums and reader."""
