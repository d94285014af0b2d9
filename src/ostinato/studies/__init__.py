"""Which claims were re-run? The published figure, ours and the verdict; `STUDIES` is the table."""
