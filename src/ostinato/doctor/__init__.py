"""Is this machine right? The fast paths beside the reference, and which of them run."""
