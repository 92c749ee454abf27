"""Why a network answers as it does: which times and bands of a recording speak for an emotion."""
