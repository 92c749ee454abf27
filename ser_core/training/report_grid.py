"""The grid that the report trained: its networks, activation functions and learning rates."""

from __future__ import annotations

REPORT_MODELS = ("1d", "2d", "combined")
REPORT_ACTIVATIONS = ("relu", "silu", "elu")
REPORT_RATES = (0.001, 0.01, 0.1)
"""Its 27 configurations are all combinations of these (section 5.2)."""
