"""What is a model for a purpose? `fit` and `predict`, with honest baselines beside them."""
