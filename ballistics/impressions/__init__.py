"""Two impressed marks become an ImpressionComparison: registration and congruent matching cells."""
