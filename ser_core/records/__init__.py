"""What is kept of a run: its record, its weights that describe themselves, its metrics."""
