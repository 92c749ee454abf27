"""Folders of any size: many files into one table, over all cores or a cluster, and on from where it was stopped.

listing ──files──▶ journal ──blocks──▶ processes or cluster ──rows──▶ journal ──▶ table
"""
