"""
Three laboratories, one firearm
===============================

A firearm is stolen near Skopje, cartridge cases are found in Sarajevo, a firearm with a printed part is seized in
Chișinău. Each laboratory has a store of its own; they share leads, and evidence only on request. Every step is the
command that a laboratory would type. Scans and the register are simulated, the part is a ring.
"""

# %%
# Keys, stores, partners
# ----------------------
# Name an empty database in ``REGION_DATABASE`` (``postgresql://USER@SERVER/NAME``), and Chișinău keeps its rows there.

import contextlib
import csv
import io
import json
import os
import shlex
from pathlib import Path
from tempfile import mkdtemp

import networkx
import pandas
import trimesh

import ballistics
from ballistics.cli import main

folder = os.environ.setdefault("REGION_FOLDER", mkdtemp())
os.chdir(folder)  # again in each part: the documentation runs them one by one
os.environ |= {"XDG_STATE_HOME": str(Path("state").resolve()), "BALLISTICS_PASSPHRASE": "a passphrase of our own"}
server = os.environ.get("REGION_DATABASE", "")
os.environ["BALLISTICS_DATABASES"] = server


def run(command, ends_with=0):
    """Run a command of ``ballistics`` as a terminal does, print what it says, and return it."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            main(shlex.split(command))
            code = 0
        except SystemExit as end:
            code = end.code or 0
    print(f"$ ballistics {command}", said.getvalue(), sep="\n")
    if code != ends_with:
        raise RuntimeError(f"exit code {code}: {command}")
    return said.getvalue()


os.environ["BALLISTICS_KEY"] = "key.json"
public = run("case key make key.json").split()[-1]
read_out = {}
for name in ("Skopje", "Sarajevo", "Chisinau"):
    lab = name.lower()
    run(f"library create {lab}" + (f" --database {server}" if server and name == "Chisinau" else ""))
    run(f"case begin {lab} --name {name} --operator AD --operator-name 'A. D.'")
    roles = "--role custodian --role examiner --role 'quality manager'"
    run(f"case key take-in {lab} {public} --operator AD --name 'A. D.' {roles}")
    run(f"exchange key {lab}-opening.json")
    card = run(f"exchange card {lab} {lab}.card --expires 2999-01-31 --opening-key {lab}-opening.json")
    read_out[lab] = card.rpartition(": ")[2].strip()  # by telephone

for here, there in (("skopje", "sarajevo"), ("sarajevo", "skopje"), ("skopje", "chisinau"), ("chisinau", "skopje")):
    run(f"exchange partner {here} {there}.card --fingerprint '{read_out[there]}'")
terms = "--legal-basis 'agreement of 2019' --handling 'leads only' --expires 2999-01-31"

# %%
# Skopje: a register, a theft, marks of an earlier shooting
# ---------------------------------------------------------
# The police register is imported, and a theft reported. Templates of open marks go to Sarajevo; signatures of printed
# parts go to Chișinău.

os.chdir(folder)
run("registry simulate police --firearms 2000 --seed 7")
run("registry init skopje")
run("registry import skopje police/register.csv --mapping police/mapping.yaml --quiet")
with open("police/register.csv", encoding="utf-8", newline="") as file:
    register = list(csv.DictReader(file))
number = next(n for n, row in enumerate(register, 1) if n > 900 and len(row["serija"]) >= 6 and not row["status"])
stolen = register[number - 1]
print(stolen)
run(f"registry event skopje {number} stolen --on 2026-05 --unit 'Police Bitola' --place Bitola --reference 'KU 17/26'")

for head in ballistics.simulate_population(2, 2, 3, breech_faces=["granular"]):
    ballistics.write_x3p(f"{head.firearm_id}-{head.shot_id}.x3p", head.surface)
Path("0-1.x3p").rename("K-31.x3p")  # what Sarajevo will find
run("library enrol skopje 0-0.x3p 1-0.x3p --calibre '9 mm Luger' --incident 'S-9, Skopje' --quiet")
run(f"exchange export skopje marks.package --to Sarajevo --all-marks --purpose 'open shootings' {terms}")

ring = trimesh.creation.annulus(8, 12, 30)
ring.export("ring.stl")
trimesh.creation.box((20, 15, 10)).export("box.stl")
run("printed enrol ring.stl box.stl --references parts --false-hits 0 --quiet")
parts = run(
    f"exchange export skopje parts.package --to Chisinau --printed parts --purpose 'printed parts' {terms}"
).split()[1]

# %%
# Sarajevo: a hit on templates alone, then the scan
# -------------------------------------------------
# The search sees no scan of Skopje, and gives no weight. Only the hit leads to a request, and both logs tell of it.

os.chdir(folder)
run("exchange import sarajevo marks.package --opening-key sarajevo-opening.json --receipt received.json")
run("exchange import skopje received.json")
asked = "--requester Police --request 'One firearm?' --purpose lead --received 2026-11-01"
run(f"case add case sarajevo K-31 --title Shooting {asked}")
where = "--place Ilidža --latitude-deg 43.83 --longitude-deg 18.31"
run(f"case add incident sarajevo I-1 --case K-31 --kind shooting --date 2026-10-31 {where}")
case = "--case K-31 --kind 'cartridge case' --calibre '9 mm Luger'"
measured = "--case K-31 --mark 'breech face' --instrument M-1 --at 2026-11-02 --by 'A. D.'"
run(f"case add item sarajevo K-31/1 --incident I-1 --description brass {case}")
run("quality add instrument sarajevo M-1 --make M --model X --serial 7 --kind confocal")
run(f"case add scan sarajevo K-31/1/S --item K-31/1 --file K-31.x3p {measured}")

run("exchange search sarajevo K-31.x3p --top 2 --json hits.json")
hit = json.loads(Path("hits.json").read_text())["leads"][0]
run("registry init sarajevo")
run("registry leads take-in sarajevo hits.json --most 1 --by 'A. D.'")

wanted = f"--package {hit['package']} --mark {hit['mark']['number']} --scan K-31.x3p --score {hit['score']:.1f}"
request = run(f"exchange request sarajevo ask.json {wanted} --purpose K-31 {terms}").split()[1]
run("exchange import skopje ask.json")
sent = run(f"exchange answer skopje answer.package --request {request} --scan 0-0.x3p --purpose K-31 {terms}")
run("exchange import sarajevo answer.package --opening-key sarajevo-opening.json")
run("exchange list sarajevo")

# %%
# Compared and reported
# ---------------------
# The scan becomes an exhibit of the case. The report is a lead; `the case from seizure to court <4_case.html>`_ shows
# what an evaluative one needs.

os.chdir(folder)
run(f"exchange scan sarajevo from-skopje.x3p --package {sent.split()[1].rstrip(':')} --mark 1")
run(f"case add item sarajevo K-31/2 --description 'scan of Skopje, mark {hit['mark']['number']}' {case}")
run(f"case add scan sarajevo K-31/2/S --item K-31/2 --file from-skopje.x3p {measured}")
run("case compare sarajevo K-31/V1 K-31/1/S K-31/2/S --quiet")
summary = "--summary 'The marks agree far better than those of different firearms: a lead.' --limits 'Simulated scans.'"
run(f"case add report sarajevo K-31/R --case K-31 --kind lead --language en --comparisons K-31/V1 {summary}")
run("case report sarajevo K-31/R --out report.html --quiet")
run("registry leads move sarajevo 1 taken --by 'A. D.'")
run("registry leads move sarajevo 1 confirmed --note 'report K-31/R' --by 'A. D.'")

# %%
# Chișinău: a printed part, and a serial of which two characters are doubtful
# ---------------------------------------------------------------------------
# The part is measured anew: other triangles, elsewhere, upside down. Of the serial, one character cannot be read and
# another may be two: Skopje's registry names the firearm among its two thousand.

os.chdir(folder)
run("exchange import chisinau parts.package --opening-key chisinau-opening.json")
run(f"exchange collection chisinau theirs --package {parts.rstrip(':')}")
seized = trimesh.creation.annulus(8, 12, 30, sections=96)
seized.apply_transform(trimesh.transformations.rotation_matrix(2.5, (1, 1, 0), (30, 0, 0)))
seized.export("seized.stl")
run(f"case add case chisinau C-5 --title Seizure {asked}")
where = "--place Chișinău --latitude-deg 47.01 --longitude-deg 28.86"
run(f"case add incident chisinau I-5 --case C-5 --kind seizure --date 2026-11-08 {where}")
run("case add item chisinau C-5/1 --case C-5 --incident I-5 --kind 'printed part' --description ring")
Path("part.json").write_text(run("printed identify seized.stl --references theirs --json"))
run("registry init chisinau")
run("registry leads take-in chisinau part.json --from C-5/1 --by 'A. D.'")

serial = stolen["serija"]
doubtful = f"{serial[:2]}?{serial[3:-1]}[{serial[-1]}{'3' if serial[-1] != '3' else '8'}]"
seen = {"serial": doubtful, "make": stolen["marka"], "calibre": stolen["kalibar"]}
run(f"case add item chisinau C-5/2 --case C-5 --incident I-5 --kind firearm --description pistol --serial '{doubtful}'")
pandas.DataFrame([seen]).to_csv("recovered.csv", index=False)
run("registry check skopje recovered.csv --csv checked.csv --queue --by 'A. D.'", ends_with=1)
checked = pandas.read_csv("checked.csv")
print(checked.T)
run("registry leads list skopje")

# %%
# Skopje closes the report, and tells Chișinău what its register says. Nothing in the registry is written over, and
# everything that was written stands in the signed log.

os.chdir(folder)
run(f"registry event skopje {number} recovered --on 2026-11-08 --unit 'Police Chisinau' --place Chișinău")
run(f"registry show skopje {number}")
told = run(f"exchange export skopje firearm.package --to Chisinau --firearm {number} --purpose C-5 {terms}").split()[1]
run("exchange import chisinau firearm.package --opening-key chisinau-opening.json")
run(f"exchange rows chisinau firearm.csv --package {told.rstrip(':')} --name firearms")
for lab in ("skopje", "sarajevo", "chisinau"):
    run(f"case verify {lab} --quiet")
    run(f"registry verify {lab} --quiet")

# %%
# What the analysts open
# ----------------------

os.chdir(folder)
Path("places.csv").write_text(
    "place,latitude_deg,longitude_deg\nBitola,41.03,21.33\nChișinău,47.01,28.86\n", encoding="utf-8"
)
run("analyst skopje analyst-skopje --happened-since 2026 --places places.csv")
run("analyst sarajevo analyst-sarajevo")
run("analyst chisinau analyst-chisinau")

graph = networkx.read_graphml("analyst-skopje/graph.graphml", force_multigraph=True)
print(graph.number_of_nodes(), "nodes:", *sorted(str(said["label"]) for _, said in graph.nodes(data=True)), sep="\n")
print(
    pandas.read_csv("analyst-sarajevo/links.csv").query("`class` == 'lead'")[["source_label", "target_label", "basis"]]
)
print(pandas.read_excel("analyst-skopje/statistics.xlsx", sheet_name="jurisdiction"))
print(len(json.loads(Path("analyst-chisinau/map.geojson").read_text(encoding="utf-8"))["features"]), "on the map")
