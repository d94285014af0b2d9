"""The strict world in which every test and every doctest runs."""

import os

# Two devices on any machine, so that sharded runs are tested everywhere; read by JAX when it is first imported.
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2".strip()
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
from jaxtyping import install_import_hook

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

# Annotations, shapes among them, are checked at every call; has to come before the first import of a room.
# The tower: an int is a float to beartype too, as it is to every type checker.
install_import_hook("ostinato", "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")
