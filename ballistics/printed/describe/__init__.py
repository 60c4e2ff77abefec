"""What is kept and compared of a part: even points, local descriptors, hashes, signatures."""
