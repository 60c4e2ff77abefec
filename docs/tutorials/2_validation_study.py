"""
A validation study
==================

How often, and how far, does the method err on your scans? And what does a score weigh in a case? Both questions need
scans of known firearms. This page simulates a small set, states the criteria beforehand, runs the study, builds a
reference population, and weighs a case with it. It uses the command line, as a laboratory would.
"""

# %%
# What the page needs
# -------------------
# Six firearms, two cartridge cases of each: enough to show the way, too few to conclude from. A study worth its name
# has 20 firearms or more.

import csv
import os
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

import ballistics

folder = Path(mkdtemp())
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def run(command):
    """Run a line of the terminal and show what it prints."""
    print(f"$ {command}")
    done = subprocess.run(shlex.split(command), cwd=folder, capture_output=True, text=True, check=False)
    print(done.stdout.replace(str(folder), "…"), done.stderr.replace(str(folder), "…"), sep="")


(folder / "scans").mkdir()
with open(folder / "truth.csv", "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["scan", "firearm", "calibre"])
    for head in ballistics.simulate_population(6, 2, seed=11, breech_faces=["granular", "milled"]):
        name = f"firearm-{head.firearm_id}-case-{head.shot_id}.x3p"
        ballistics.write_x3p(folder / "scans" / name, head.surface)
        table.writerow([name, f"firearm {head.firearm_id}", "9 mm Luger"])

# %%
# Criteria first
# --------------
# What must hold for the method to be accepted is written down before any figure is known. The program notes when it was
# given the file: criteria that came after the results are told as such.

(folder / "criteria.toml").write_text(
    """name = "Tutorial"

[[criterion]]
figure = "AUC"
at_least = 0.9

[[criterion]]
figure = "largest misleading LR"
at_most = 100
"""
)
run("ballistics validate scans truth.csv --out study --criteria criteria.toml --workers 1")

# %%
# ``study.html`` shows every figure with its limits, by resampling firearms and not pairs; Tippett, DET and ECE curves;
# and the worst pairs with pictures, for an examiner to look at. All results are source-disjoint: no firearm judges
# itself.

print(sorted(path.name for path in (folder / "study").iterdir()))

# %%
# A reference population
# ----------------------
# The same comparisons become the population that cases are weighed against. It is good for this calibre, this kind of
# instrument, and these parameters; for others it refuses.

run(
    "ballistics reference build scans truth.csv --instrument confocal --out reference.json "
    "--work study/work --workers 1"
)

# %%
# A case
# ------
# Two cartridge cases of a seventh firearm. The likelihood ratio is bounded by what six firearms can support.

(folder / "case").mkdir()
for head in ballistics.simulate_population(1, 2, seed=12, first_firearm=6, breech_faces=["granular"]):
    ballistics.write_x3p(folder / f"case/questioned-{head.shot_id}.x3p", head.surface)
run(
    "ballistics compare case/questioned-0.x3p case/questioned-1.x3p --reference reference.json "
    '--calibre "9x19" --instrument confocal --report case.html'
)

# %%
# From Python it is one call more than the comparison.

result = ballistics.compare_files(folder / "case/questioned-0.x3p", folder / "case/questioned-1.x3p")
weighed = ballistics.weigh(result, folder / "reference.json", calibre="9 mm Luger", instrument="confocal")
print(weighed.evaluation)

# %%
# With another calibre there is no number, and the reason is said.

refused = ballistics.weigh(result, folder / "reference.json", calibre="45 Auto", instrument="confocal")
print(refused.evaluation)
