"""Networks of which only the read-out is trained."""
