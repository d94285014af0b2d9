"""`ostinato demo`."""


def demo() -> None:
    """Demo."""
