"""One file for each revision; none is ever changed after a release."""
