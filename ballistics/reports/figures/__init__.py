"""Pictures of marks, comparisons, studies and printed parts."""
