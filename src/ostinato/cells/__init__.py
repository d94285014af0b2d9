"""What is one step? One file per architecture; `base.py` holds the contract, `CELLS` is the table."""
