"""How often a model is called better than another, by chance and by right."""
