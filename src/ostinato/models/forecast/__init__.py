"""Forecasters of series, their baselines and their back-test."""
