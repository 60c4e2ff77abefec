"""From a scan with striae to its signature: lands of bullets, aperture shear, tool marks."""
