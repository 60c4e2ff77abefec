"""A likelihood ratio in words: scales, sentences, languages."""
