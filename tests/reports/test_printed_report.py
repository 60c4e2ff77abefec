"""The page of an identification: what it says, that it is whole in itself, holds no mesh, and works in a browser."""

from __future__ import annotations

import json
import re
import shutil

import mesh_samples as samples
import numpy as np
import pytest

from ballistics.printed.collection.collection import Collection
from ballistics.printed.collection.enrolment import collection_sha256, open_collection
from ballistics.printed.content.mesh_views import render_view
from ballistics.printed.content.part import Part
from ballistics.printed.describe.inspection import describe_file
from ballistics.printed.describe.signature import signature_of
from ballistics.printed.identify.identification import identify
from ballistics.reports.contents.identified_file import IdentifiedFile, SearchedCollection
from ballistics.reports.figures import printed as printed_figures
from ballistics.reports.figures.printed import (
    ABSENT,
    EXPLAINED,
    Mesh,
    finer,
    present,
    reference_points_mm,
    searched_mesh,
)
from ballistics.reports.figures.printed_scene import scene_json
from ballistics.reports.pages.printed import printed_report
from reference_meshes.__main__ import HERE

PICTURE = re.compile(r'class="six" src="data:image/png;base64,([^"]+)"')
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")


@pytest.fixture(scope="module", autouse=True)
def small_pictures():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(printed_figures, "_PIXELS", 120)
        yield


@pytest.fixture(scope="module")
def searched():
    collection, taxonomy = open_collection(HERE / "collection")
    return SearchedCollection(collection, taxonomy, collection_sha256(HERE / "collection"))


def identified(path, searched):
    described, file = describe_file(path)
    return IdentifiedFile(
        path.name, described, file, None if file is None else identify(file.parts, searched.collection)
    )


@pytest.fixture(scope="module")
def half(searched):
    return identified(HERE / "queries" / "half.stl", searched)


@pytest.fixture(scope="module")
def refused(searched, tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "<b>bad.stl"
    path.write_bytes(samples.stl_binary(samples.wedge(), count=10**8))
    return identified(path, searched)


@pytest.fixture(scope="module")
def page(half, refused, searched):
    return printed_report([half, refused], searched)


def pictures(page):
    import base64

    import cv2

    for uri in PICTURE.findall(page):
        yield cv2.imdecode(np.frombuffer(base64.b64decode(uri), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]


def test_it_says_what_was_found_and_what_it_is_not(page, half):
    for words in (
        "A part of “bracket” (ordinary object), at the same size.", "lead, not evidence", "Shape, not function.",
        "lead for an examiner", half.described.sha256, half.described.parts[0].geometry_hash, "unit-assumed",
        "no counterpart", "version of numpy", "REFUSED", "declares 100000000",
    ):  # fmt: skip
        assert words in page
    assert "<b>bad" not in page
    assert "&lt;b&gt;bad" in page
    extent = half.found.accepted[0].metadata["extent_mm"]
    assert f"<td>{', '.join(f'{length:g}' for length in extent)}</td>" in page
    assert any(f"{length:g}" != str(length) for length in extent)


@pytest.mark.slow
def test_it_is_one_file_and_the_same_every_time(page, half, refused, searched):
    small = printed_report([half, refused], searched, turnable=False)
    # The page was drawn on its own: the same pictures, byte for byte.
    assert PICTURE.findall(small) == PICTURE.findall(page)
    assert len(PICTURE.findall(small)) == 3
    assert len(small) < 2_500_000 < 4_500_000 < len(page)
    assert "<script" not in small
    assert not re.search(r'(src|href)="(?!data:|#|https://doi\.org/)', small)


def test_explained_absent_and_deviating_surface_is_drawn(page):
    overlay, deviation, views = pictures(page)

    def share_of(picture, colour):
        # Shading scales a colour: its direction stays.
        seen = picture.astype(float).reshape(-1, 3)
        seen = seen[(seen.min(axis=1) < 250) & (seen.max(axis=1) > 40)]
        direction = seen / np.linalg.norm(seen, axis=1, keepdims=True)
        return (direction @ (np.array(colour) / np.linalg.norm(colour)) > 0.995).mean()

    assert share_of(overlay, EXPLAINED) > 0.3
    assert share_of(overlay, ABSENT) > 0.05
    assert share_of(views, EXPLAINED) < 0.05
    assert share_of(views, ABSENT) < 0.01
    assert deviation.shape == overlay.shape == views.shape


def test_half_of_the_reference_is_absent_where_the_cut_is(half, searched):
    found = half.found
    (candidate,) = found.accepted
    mesh = searched_mesh(half.file.parts, candidate)
    points = reference_points_mm(candidate, searched.collection)
    here = present(mesh, candidate, points)
    assert here.mean() == pytest.approx(candidate.reference_share, abs=0.08)
    # What is absent lies outside the box of what was cut off, but for its edge.
    low, high = mesh.vertices.min(axis=0) - 1.0, mesh.vertices.max(axis=0) + 1.0
    assert ((points[here] >= low) & (points[here] <= high)).all()


@pytest.mark.slow
def test_a_dent_is_seen_where_it_is():
    mesh = finer(Mesh(*samples.box((60.0, 40.0, 20.0))), 2.0)
    whole = Part(mesh.vertices, mesh.faces)
    collection = Collection()
    collection.enrol(signature_of(whole), "box")
    dented = mesh.vertices.copy()
    inside = (np.hypot(dented[:, 0] - 15.0, dented[:, 1] - 20.0) < 8.0) & (dented[:, 2] == 20.0)
    dented[inside, 2] -= 1.5
    found = identify(Part(dented, mesh.faces), collection)
    off = found.candidates[0].deviations_mm
    assert np.median(off) < 0.3
    # The pose may be another of the box's symmetries: the deviations are in the frame of the query all the same.
    near = np.hypot(found.points_mm[:, 0] - 15.0, found.points_mm[:, 1] - 20.0) < 6.0
    near &= found.points_mm[:, 2] < 19.0
    near &= found.points_mm[:, 2] > 17.0
    assert near.sum() > 5
    assert np.median(off[near]) == pytest.approx(1.5, abs=0.4)


def test_the_turnable_view_holds_coarse_points_only(half, searched):
    (candidate,) = half.found.accepted
    scene = json.loads(
        scene_json(half.found, candidate, searched_mesh(half.file.parts, candidate), searched.collection)
    )
    assert {trace["type"] for trace in scene["data"]} == {"scatter3d"}
    names = [trace["name"] for trace in scene["data"]]
    assert "reference: absent in the query" in names
    counts = dict(zip(names, (len(trace["x"]) for trace in scene["data"]), strict=True))
    assert counts["query: explained"] + counts["query: not explained"] == len(half.found.points_mm) <= 3000


def test_finer_keeps_the_surface():
    corners, faces = samples.box((60.0, 1.0, 40.0))
    made = finer(Mesh(corners, faces), 3.0)

    def area(mesh):
        a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
        return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2

    assert area(made) == pytest.approx(area(Mesh(corners, faces)))
    edges = made.vertices[made.faces] - np.roll(made.vertices[made.faces], 1, axis=1)
    assert np.linalg.norm(edges, axis=2).max() <= 3.0
    plain, cut = (render_view(m.vertices, m.faces, pixels=64) for m in (Mesh(corners, faces), made))
    assert np.abs(plain.astype(int) - cut).max() <= 1


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="no Chromium with chromedriver on this machine")
@pytest.mark.slow
def test_it_works_in_a_browser(page, tmp_path):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.support.ui import WebDriverWait

    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (
        "--headless", "--no-sandbox", "--enable-unsafe-swiftshader", "--disable-background-networking",
        "--window-size=1280,1000", f"--user-data-dir={tmp_path / 'profile'}",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        driver.get(path.as_uri())
        WebDriverWait(driver, 60).until(lambda d: d.find_elements("css selector", ".scene canvas"))
        wide = driver.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
        loaded = driver.execute_script("return [...document.images].every(i => i.complete && i.naturalWidth > 0)")
        assert loaded
        errors = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
        assert errors == []
    finally:
        driver.quit()
