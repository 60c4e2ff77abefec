"""Sampling, describing and laying meshes."""
