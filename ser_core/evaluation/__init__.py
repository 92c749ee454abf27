"""Checkpoints on whole corpora: what they hear in clips that they were not trained on."""
