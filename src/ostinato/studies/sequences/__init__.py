"""Whole sequences and long time lags: what a recurrent network makes of them."""
