"""Networks that are drawn and not learned, under a read-out that is."""
