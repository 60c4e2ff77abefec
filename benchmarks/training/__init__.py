"""Scripts that made the fitted numbers which ship with the package; none is run by the benchmarks."""
