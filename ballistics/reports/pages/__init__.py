"""Pages that people read: comparison, search, links, printed parts, validation study."""
