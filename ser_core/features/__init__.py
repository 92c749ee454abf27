"""What the networks get: spectral features, mel images, and their cache."""
