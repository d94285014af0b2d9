"""Labels and numbers for whole sequences, or for each step."""
