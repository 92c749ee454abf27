"""From settings to weights: configuration, batches, trainer, experiment, studies and grids."""
