"""What the pages are made of that nobody writes by hand: equations, examples, tables, figures, results, reference."""
