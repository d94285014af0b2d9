"""What is said of a model on held-out data? Scores beside the baselines, a verdict in plain words, what the report draws."""
