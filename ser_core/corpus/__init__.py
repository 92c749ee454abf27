"""CREMA-D: its clips and what is known of them, its folder on disk, download, and splits. And any other corpus."""
