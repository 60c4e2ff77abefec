"""Sets of scans with known firearms: scored pairs, reference populations, validation studies."""
