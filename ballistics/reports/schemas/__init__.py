"""Results as JSON and as tables, with the schemas that they keep to."""
