"""What a part is shaped like, learned from a laboratory's own references."""
