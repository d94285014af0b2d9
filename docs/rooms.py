"""For the reference: a name is shown where it is written, and not again where its room gives it to the world."""

from typing import Any

import griffe


class Rooms(griffe.Extension):
    """Leaves out the `from .public import *` of rooms that load on first use."""

    def on_module_members(self, *, mod: griffe.Module, **kwargs: Any) -> None:
        """Called for each module of the library when it has been read."""
        del kwargs
        for name in [name for name, member in mod.members.items() if member.is_alias and member.wildcard]:
            mod.del_member(name)
