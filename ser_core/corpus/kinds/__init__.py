"""Kinds of corpora, one a file: what the names of their files say, or a table, or their folders."""
