"""Plain twins of the kernels on triangle meshes and point clouds."""
