"""Forecasts of measured series, beside what is hard to beat."""
