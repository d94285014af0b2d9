"""How does a cell run through time? `unroll`, `rollout`, stacks, directions, read-outs, wrappers."""
