"""How are gradients found? One file per rule; `base.py` holds the contract, `RULES` is the table."""
