"""Everything against everything: designs, prepared marks, runs, rows, clusters, links."""
