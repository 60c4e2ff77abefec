"""What every reader of printed parts shares: bounds, parts and items, instances, roles, lines and XML."""
