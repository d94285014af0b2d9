"""How is a model trained, safely? The loop, checkpoints, the guard, the log, the lock, settings."""
