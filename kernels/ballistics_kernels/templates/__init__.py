"""Templates of marks and their scan."""
