"""How is it shown? Figures as pure functions, and the self-contained report."""
