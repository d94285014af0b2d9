"""Networks that run over trees."""
