"""The networks: an architecture a file, and the registry that names them."""
