"""Print jobs: G-code and its packages become the surface of what is printed."""
