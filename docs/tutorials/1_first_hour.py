"""
An examiner's first hour
========================

Two cartridge cases, one question: do their breech-face marks agree more than marks of different firearms do? This page
goes from files to a report. Its scans are simulated, so that it runs anywhere; put your own in their place.
"""

# %%
# Files
# -----
# The simulator makes the heads of fired cartridge cases and writes them as X3P, the exchange format of ISO 25178-72.
# Firearms 0 and 1 fired two each. Nothing simulated is evidence.

from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt

import ballistics

folder = Path(mkdtemp())
for head in ballistics.simulate_population(2, 2, seed=7, breech_faces=["granular"]):
    ballistics.write_x3p(folder / f"firearm-{head.firearm_id}-case-{head.shot_id}.x3p", head.surface)
print(*sorted(path.name for path in folder.iterdir()), sep="\n")

# %%
# Before anything else: can the files be read, and is anything odd about them? On the command line this is
# ``ballistics inspect FOLDER``.

for row in ballistics.inspect([folder]):
    print(row.path.name, row.verdict, [finding.code for finding in row.findings])

# %%
# A scan, and the mark on it
# --------------------------
# A `Surface` is what was measured. Its lengths are micrometres, whatever the file had; points that were not measured
# stay missing.

first, second, other = (
    ballistics.read(folder / name) for name in ("firearm-0-case-0.x3p", "firearm-0-case-1.x3p", "firearm-1-case-0.x3p")
)
first.plot()
plt.show()

# %%
# Preparing finds the breech face, levels it, and keeps the wavelengths that a firearm can mark. Every step is on record
# with what it measured, and can be edited and replayed.

mark = ballistics.prepare(first)
for step in mark.steps:
    print(step.name, dict(step.parameters))
mark.plot()
plt.show()

# %%
# Compare
# -------
# From two files to a result is one call. Three scores come out. The *similarity* carries the evidence: it is in nats,
# and unrelated marks reach some tens. The *congruent cells* are counted under our rule and under each published one.
# The *correlation* is that of the whole marks.

same = ballistics.compare_files(folder / "firearm-0-case-0.x3p", folder / "firearm-0-case-1.x3p")
different = ballistics.compare_files(folder / "firearm-0-case-0.x3p", folder / "firearm-1-case-0.x3p")
print(same)
print(different)

# %%
# The comparison microscope: the left half is A, the right half B, both in one light, registered.

same.plot()
plt.show()

# %%
# And the pair of different firearms: the registration is the best there is, and still nothing runs across the seam.

different.plot()
plt.show()

# %%
# All scores, as a table (a pandas data frame, where pandas is installed).

same.to_frame()

# %%
# What a result says of itself
# ----------------------------
# Findings come first: a mirrored file, an instrument that is not the one stated, two scores that contradict each other.
# And "insufficient" is a result, with its reason.

print([finding.code for finding in same.findings], same.insufficient)

# %%
# The aligned heights are arrays, for whatever you want to do with them.

a, b = same.aligned()
print(a.shape, b.shape)

# %%
# The report
# ----------
# One HTML file without anything outside it: findings and hashes, every step, a microscope with a seam to drag, cells,
# scores, limits, all parameters. It is the same file, byte for byte, whenever it is made again.

ballistics.report(same, folder / "report.html")
print((folder / "report.html").stat().st_size // 1000, "kB")

# %%
# A score is not a probability and not an opinion. What it weighs is said only by a reference population: scores of
# pairs whose source is known, measured with your instrument, of your calibre. The next tutorial makes one.
