"""
A case from seizure to court
============================

Two cartridge cases and a printed part are seized. This page follows them through a laboratory: test fires and a
reference population, exhibits and custody, blind examination, comparison, review and release, and the bundle by which
the other side checks it all on a computer of its own. The scans are simulated, so nothing here is evidence.
"""

# %%
# A laboratory and its people
# ---------------------------
# A library's folder holds everything. Each person has a key; the private half is encrypted with a passphrase. Whoever
# begins the log is its administrator and takes in the others, each with roles of their own.

import os
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

import trimesh

import ballistics
from ballistics.casework import Attachment as CaseFile
from ballistics.casework import (
    Authorisation,
    Calibration,
    Case,
    Casebook,
    Competence,
    Conclusion,
    Firearm,
    Incident,
    Information,
    Instrument,
    Item,
    Observation,
    Release,
    Report,
    Review,
    Scan,
    Session,
    Shot,
    Transfer,
    Unmasking,
    Validation,
    write_disclosure,
)
from ballistics.front import compare_scans, replay, select_test_fires, write_scan_set
from ballistics.library import LibraryStore
from ballistics.records import RefusedError, make_key, write_receipt
from ballistics.reports import case_pages

folder = Path(mkdtemp())
os.environ["XDG_STATE_HOME"] = str(folder / "state")
LibraryStore.create(folder / "lab").close()
book = Casebook.open(folder / "lab")

people = {
    "AD": ("administrator",),
    "CU": ("custodian",),
    "AN": ("examiner",),
    "BO": ("reviewer",),
    "VE": ("authoriser",),
    "RA": ("shooter", "quality manager"),
}
keys = {name: make_key(folder / "keys" / f"{name}.json", "a passphrase of our own") for name in people}
book.begin(keys["AD"], "AD", "The administrator", {"name": "Laboratory of the tutorial", "country": "MK"})
for name, roles in people.items():
    if name != "AD":
        book.take_in(keys["AD"], keys[name].public, name, f"Person {name}", roles)

# %%
# Test fires, and a reference population from them
# ------------------------------------------------
# Eight firearms, two shots of each. Instrument, calibration, sessions with the laboratory's own safety checklist, shots
# and scans are records; the population is built from exactly these.

book.record(keys["RA"], Instrument("INS-1", make="Maker", model="Model", serial="17", kind="confocal"))
due = {"by": "Institute, No. 7", "certificate": "26-0110", "outcome": "passed"}
book.record(keys["RA"], Calibration("CAL-1", instrument="INS-1", on="2026-01-10", due="2027-01-10", **due))


def record_scan(key, identifier, item, surface, case="", at="2026-10-06"):
    """Write a surface as an instrument would, keep the file, and record it."""
    path = folder / f"{identifier.replace('/', '-')}.x3p"
    ballistics.write_x3p(path, surface)
    measured = {"mark": "breech face", "instrument": "INS-1", "at": at, "by": "Person"}
    file = book.files.keep(path)
    book.record(key, Scan(identifier, case=case, item=item, file=file, name=path.name, **measured))


for head in ballistics.simulate_population(8, 2, seed=5, breech_faces=["granular", "milled"]):
    firearm = f"F-{head.firearm_id}"
    session, shot = f"{firearm}/S1", f"{firearm}/S1/{head.shot_id + 1}"
    if head.shot_id == 0:
        book.record(keys["RA"], Firearm(firearm, make="Maker", model="Model", calibre="9 mm Luger"))
        fired = {"ammunition": "Maker, lot 7", "date": "2026-10-05", "place": "Range 1", "operator": "RA"}
        book.record(
            keys["RA"], Session(session, firearm=firearm, checklist="example", answers=("bore clear",), **fired)
        )
    left = {"place_in_session": head.shot_id + 1, "recovered": "cartridge case"}
    book.record(keys["RA"], Shot(shot, session=session, **left))
    record_scan(keys["RA"], f"{shot}/S", shot, head.surface)

fires = select_test_fires(book, calibre="9x19", instrument="confocal", since="2026-01-01")
table = write_scan_set(book, fires, folder / "fires")
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
words = f"ballistics reference build fires {table} --out ours.json --name ours --workers 1 --quiet".split()
subprocess.run(words, cwd=folder, check=True)
print(len(fires), "scans of test fires:", (folder / "ours.json").stat().st_size, "bytes of reference")

# %%
# The case
# --------
# What is recorded is checked: words stand in code lists, what is named must be there, and who may record what is a
# rule.

asked = {"requester": "Police, A. B.", "request": "Were both cartridge cases fired by one firearm?"}
book.record(
    keys["CU"],
    Case("K-1", title="Find in a park", purpose="evidence", received="2026-11-02", blind=True, **asked),
)
book.record(keys["CU"], Information("K-1/I", case="K-1", known="A person was arrested nearby.", source="Police"))
book.record(keys["CU"], Incident("K-1/E", case="K-1", kind="seizure", date="2026-11-01", place="City park"))
heads = ballistics.simulate_population(1, 2, seed=77, breech_faces=["granular"])
for number in (1, 2):
    seen = {"kind": "cartridge case", "description": "brass, 9 mm", "calibre": "9 mm Luger", "seal": f"A-10{number}"}
    book.record(keys["CU"], Item(f"K-1/{number}", case="K-1", incident="K-1/E", **seen))
part = {"kind": "printed part", "description": "black ring, layers visible", "seal": "A-103", "category": "ordinary"}
book.record(keys["CU"], Item("K-1/3", case="K-1", incident="K-1/E", **part))
came = {"event": "received", "at": "2026-11-02T09:30", "place": "laboratory", "by": "Person CU", "seal_intact": "yes"}
book.record(keys["CU"], Transfer("K-1/T1", case="K-1", items=("K-1/1", "K-1/2", "K-1/3"), **came))

trimesh.creation.annulus(8, 12, 30).export(folder / "ring.stl")
ring = {"file": book.files.keep(folder / "ring.stl"), "name": "ring.stl", "what": "measured mesh of the part"}
book.record(keys["CU"], CaseFile("K-1/3/M", case="K-1", item="K-1/3", **ring))
for number, head in enumerate(heads, 1):
    record_scan(keys["AN"], f"K-1/{number}/S", f"K-1/{number}", head.surface, "K-1", "2026-11-03")

# %%
# Blind examination
# -----------------
# The examiner records what is seen, the program compares, the examiner concludes; only then are scores shown. Until
# then they are refused.

items = ("K-1/1", "K-1/2")
seen = {"suitability": "suitable", "seen": "Fine granular marks over the whole face of both."}
book.record(keys["AN"], Observation("K-1/O1", case="K-1", items=items, **seen))
compare_scans(book, keys["AN"], "K-1/V1", ("K-1/1/S", "K-1/2/S"), folder / "ours.json")
try:
    book.result("K-1/V1", keys["AN"])
except RefusedError as error:
    print(error)

drawn = {"scale": "AFTE", "value": "identification", "reasons": "Agreement of individual marks over the whole face."}
book.record(keys["AN"], Conclusion("K-1/C1", case="K-1", items=items, **drawn))
book.record(keys["AN"], Unmasking("K-1/U1", case="K-1", conclusion="K-1/C1", shown=("scores",)))
comparison = book.result("K-1/V1", keys["AN"])[0].record
print(f"similarity {comparison.score:.0f} nats, log10 LR {comparison.log10_lr} {comparison.no_lr}")
print(*comparison.findings, sep="\n")

# %%
# The version of the method has no validation on record, and the examiner no authorisation: that is told. With both, it
# is not.

method = {"method": comparison.method}
book.record(keys["RA"], Validation("VAL-1", version=comparison.version, on="2026-06", outcome="passed", **method))
book.record(keys["RA"], Competence("COM-1", operator="AN", since="2026-01", basis="training, test of 2026", **method))
compare_scans(book, keys["AN"], "K-1/V2", ("K-1/1/S", "K-1/2/S"), folder / "ours.json")
comparison = book.result("K-1/V2", keys["AN"])[0].record
print(*comparison.findings, sep="\n")

# %%
# Review, authorisation, release
# ------------------------------
# Author, reviewer and authoriser are three persons, and all look at the same draft: the entry that holds it.

rests = {"comparisons": ("K-1/V2",), "conclusions": ("K-1/C1",), "language": "en", "kind": "evaluative"}
summary = "Two cartridge cases were compared. The marks on both agree far better than those of different firearms."
report = Report("K-1/R", case="K-1", summary=summary, limits="The scans are simulated.", **rests)
draft = book.record(keys["AN"], report).number
checked = ("items", "scans", "method", "reference", "findings", "conclusion", "wording")
of_draft = {"case": "K-1", "report": "K-1/R", "report_entry": draft}
book.record(keys["BO"], Review("K-1/R/1", outcome="accepted", checked=checked, **of_draft))
book.record(keys["VE"], Authorisation("K-1/R/A", review="K-1/R/1", **of_draft))

pages = case_pages(book, "K-1/R", ("html",))
(folder / "report.html").write_bytes(pages["html"])
released = (book.files.keep_bytes(pages["html"]),)
gone = {"authorisation": "K-1/R/A", "recipient": "Court", "at": "2026-11-20"}
book.record(keys["CU"], Release("K-1/R/L", case="K-1", report="K-1/R", pages=released, **gone))
print("the same bytes again:", case_pages(book, "K-1/R", ("html",)) == pages)

# %%
# ``report.html`` begins with one page for the prosecutor, and prints on A4; ``("html", "pdf")`` gives a PDF/A too
# (extra ``pdf``), ``language="mk"`` the fixed texts in Macedonian. Until exactly this draft is authorised, every page
# says that it is a draft.

# %%
# What the other side can check
# -----------------------------
# The bundle holds the records of the case, every file that they name, and a verifier that needs Python and the package
# ``cryptography`` only. ``replay`` makes every comparison again, here in a folder that has no laboratory.

write_receipt(folder / "receipt.txt", book.receipt())
print((folder / "receipt.txt").read_text())
write_disclosure(book, "K-1", folder / "bundle.zip")
found = replay(folder / "bundle.zip")
for each in found.comparisons:
    print(each.comparison, "equal" if each.equal else each.different, f"({each.n_values} values)")

# %%
# And the laboratory's own log, with every entry and every file:

state = book.verify()
print(state.log.head.number, "entries,", state.n_files, "files:", "as recorded" if state.clean else state)
book.close()
