"""Continuous time, time scales and bodies: what the dynamics of a network do."""
