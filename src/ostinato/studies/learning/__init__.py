"""Rules that find gradients or weights: what they leave out, and what that costs."""
