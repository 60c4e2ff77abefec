"""What analysts take into their programs: entities, links and events as tables, GraphML, GeoJSON, CASE/UCO, chains."""
