"""How a forecaster adapts: simple forecasts in closed form, their mixture, and a network that learns what they miss."""
