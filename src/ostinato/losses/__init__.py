"""What is minimised? Losses of one step, `loss(y, target) -> scalar`."""
