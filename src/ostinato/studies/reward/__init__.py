"""Learning from reward: populations of networks that act."""
