"""What the project's speed and memory claims are measured with: `python -m benchmarks [NAME…]`.

Every comparison runs both sides in one process run, one after the other, on the same data.
"""
