"""Using a trained network: predictor, live stream, listener, rows for tables and files."""
