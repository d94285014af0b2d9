"""Which ready problems are there? Generators as pure functions; `TASKS` is the table."""
