"""Words that sentences are made of."""


def counted(n: int, what: str) -> str:
    """A number of things, as `1 clip` or `2 clips`."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"
