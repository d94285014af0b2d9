"""Networks that have a memory outside themselves, or are one."""
