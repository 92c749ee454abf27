"""What the app's pages share: navigation, cached loaders, pieces of pages."""
