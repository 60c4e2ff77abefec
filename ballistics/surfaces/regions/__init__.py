"""Where on a surface a mark is."""
