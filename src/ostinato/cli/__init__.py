"""How is it run from a shell? The command `ostinato`."""
