"""Communities of microbes: what becomes of them."""
