"""Two striated marks become a StriationComparison: signatures, their scores, and bullets made of lands."""
