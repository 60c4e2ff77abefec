"""
A seized disk
=============

A disk with many files: which of them hold, whole or in pieces, an object that the laboratory knows? The references here
are ordinary things, made on this page: a bracket, a knob, a hook. A laboratory enrols its own seizures.
"""

# %%
# References
# ----------
# A collection keeps signatures, from which no shape can be made again. It also measures how often unrelated queries hit
# it, when it has 20 references or more.

import os
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt
import numpy as np
import trimesh

import ballistics

folder = Path(mkdtemp())
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def run(command):
    """Run a line of the terminal and show what it prints."""
    print(f"$ {command}")
    done = subprocess.run(shlex.split(command), cwd=folder, capture_output=True, text=True, check=False)
    print(done.stdout.replace(str(folder), "…"), done.stderr.replace(str(folder), "…"), sep="")


def solid(*shapes):
    """Join shapes, each moved to its position, into one solid."""
    for shape, position in shapes:
        shape.apply_translation(position)
    return trimesh.boolean.union([shape for shape, _ in shapes], engine="manifold")


create = trimesh.creation
things = {
    "bracket": solid(
        (create.box((60, 40, 5)), (0, 0, 0)),
        (create.box((5, 40, 35)), (-27.5, 0, 20)),
        (create.cylinder(6, 12), (12, 8, 6)),
        (create.cylinder(4, 9), (14, -11, 5)),
    ),
    "knob": solid(
        (create.cylinder(18, 10), (0, 0, 0)), (create.cone(14, 22), (0, 0, 5)), (create.box((6, 44, 6)), (0, 0, 0))
    ),
    "hook": solid(
        (create.torus(20, 5), (0, 0, 0)),
        (create.cylinder(5, 40), (25, 0, 20)),
        (create.icosphere(radius=8), (25, 0, 42)),
    ),
}
(folder / "references").mkdir()
for name, mesh in things.items():
    mesh.export(folder / f"references/{name}.stl")
run("ballistics printed enrol references/bracket.stl references/hook.stl references/knob.stl --references collection")

# %%
# The disk
# --------
# Copies under other names, at another size, mirrored, cut through; and files that have nothing to do with it.

(folder / "disk/downloads").mkdir(parents=True)
disguised = things["bracket"].copy()
disguised.apply_transform(trimesh.transformations.rotation_matrix(1.1, [1, 2, 3]))
disguised.apply_scale(25.4)
disguised.export(folder / "disk/downloads/holiday.stl")
mirrored = things["hook"].copy()
mirrored.apply_transform(np.diag([-1.0, 1, 1, 1]))
mirrored.export(folder / "disk/x.obj")
knob = things["knob"]
half = knob.submesh([knob.triangles_center[:, 1] > 2], append=True)
half.export(folder / "disk/part2.ply")
create.annulus(8, 12, 30).export(folder / "disk/pipe.stl")
(folder / "disk/notes.txt").write_text("buy milk")
(folder / "disk/broken.stl").write_bytes(b"solid nothing\nfacet")

run("ballistics printed batch disk --references collection --out found.csv --report sheet.html --workers 1")

# %%
# ``sheet.html`` shows every file with a picture, what it is, and why. The table has a row for each.

print((folder / "found.csv").read_text()[:1200])

# %%
# One file, looked at closely
# ---------------------------

collection = ballistics.Collection.load(folder / "collection")
found = ballistics.identify(ballistics.read_parts(folder / "disk/part2.ply").parts, collection)
print(found)
found.plot()
plt.show()

# %%
# The part itself.

ballistics.read_parts(folder / "disk/part2.ply").parts[0].plot(view="top")
plt.show()

# %%
# A hit is a lead: it says that this file holds the geometry of that reference, and how often unrelated files would
# seem to. It does not say who made it, whether it was printed, or whether it works.
