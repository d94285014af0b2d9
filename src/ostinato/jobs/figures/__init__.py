"""What is said of a model on held-out data? Scores beside baselines, a verdict in words, what the report draws."""
