"""How do sequences come in? The one sequence type, readers, windows, buckets, scaling, the catalogue of public data sets."""
