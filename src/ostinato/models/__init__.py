"""Fit and predict for a purpose: forecasting, classifying and regressing sequences, and the baselines beside them."""

from .base import Estimator as Estimator
