"""How is the loop made fast? The reference scan, the hoisted scans, and which of them is taken and why."""
