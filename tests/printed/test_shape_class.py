"""Shape classes: the same answer in any pose, nothing learned beforehand, the unlike is unknown, files that lie."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesh_samples import box, together, wedge
from property_tests import examples
from scipy.spatial.transform import Rotation

from ballistics.errors import (
    BallisticsError,
    CorruptFileError,
    ParameterError,
    ReadError,
    UnsupportedFormatError,
    WriteError,
)
from ballistics.printed.content.part import Part
from ballistics.printed.describe.canonical_views import PIXELS, canonical_axes, canonical_view
from ballistics.printed.describe.sampling import sample_surface
from ballistics.printed.shape_class.classifier import (
    CLASSES,
    HANDGUN,
    LONG_GUN,
    ORDINARY,
    PART,
    UNKNOWN,
    ShapeClassifier,
    train,
)
from ballistics.printed.shape_class.classifier_file import load_classifier, save_classifier
from ballistics.printed.shape_class.features import GROUPS, flipped_edges, joined, shape_features

# Stand-ins: T-shaped, comb-shaped and ring-shaped solids play the firearm classes, boxes the ordinary things.


def _stand_in(label, k):
    """Return a harmless solid of plain boxes; k varies its proportions."""
    a = 1.0 + 0.06 * k
    if label == HANDGUN:
        return together(box((40.0, 6.0, 10.0 * a)), box((9.0 * a, 6.0, 30.0), (3.0, 0.0, -30.0)))
    if label == LONG_GUN:
        return together(
            box((120.0, 5.0, 8.0)), *(box((6.0, 5.0, 10.0 * a), (x, 0.0, -10.0 * a)) for x in (10.0, 50.0, 80.0 * a))
        )
    if label == PART:
        return together(box((30.0, 30.0 * a, 3.0)), box((3.0, 3.0, 40.0 * a), (15.0, 15.0, 3.0)))
    return box((30.0 + 3 * k, 22.0, 9.0 + 2 * k))


def _part(mesh):
    return Part(*mesh)


@pytest.fixture(scope="module")
def described():
    """Features, labels and sources of six stand-ins of each class."""
    rows = [(label, k) for label in CLASSES for k in range(6)]
    features = [shape_features(_part(_stand_in(label, k))) for label, k in rows]
    return features, [label for label, _ in rows], [f"source {k % 3}" for _, k in rows]


@pytest.fixture(scope="module")
def classifier(described) -> ShapeClassifier:
    return train(*described)


@pytest.mark.parametrize("label", CLASSES)
def test_classes_are_told_from_each_other(classifier: ShapeClassifier, label: str) -> None:
    answer = classifier.classify(shape_features(_part(_stand_in(label, 2.5))))
    assert answer.label == label
    assert sum(answer.probabilities.values()) == pytest.approx(1.0)
    # Each flag is a question against ordinary things alone: a part may raise both.
    assert answer.whole_flagged >= (label in (HANDGUN, LONG_GUN))
    assert answer.part_flagged >= (label == PART)
    assert (answer.whole_flagged or answer.part_flagged) == (label != ORDINARY)
    assert answer.provenance.parameters["references"] == dict.fromkeys(CLASSES, 6)


def test_the_unlike_is_unknown(classifier: ShapeClassifier) -> None:
    rng = np.random.Generator(np.random.PCG64(4))
    boxes = [box((1.0, 1.0, 1.0), tuple(rng.uniform(0.0, 60.0, 3))) for _ in range(60)]
    answer = classifier.classify(shape_features(_part(together(*boxes))))
    assert answer.unlike_all
    assert answer.label == UNKNOWN


@examples(6, often=20)
@given(seed=st.integers(0, 2**31), mirrored=st.booleans(), scale=st.floats(0.1, 30.0))
def test_pose_size_and_hand_do_not_matter(seed: int, mirrored: bool, scale: float) -> None:
    vertices, faces = together(wedge(), box((25.0, 8.0, 5.0), (20.0, 0.0, 0.0)))
    turn = Rotation.random(random_state=seed).as_matrix() * scale
    if mirrored:
        turn = turn * np.array([1.0, 1.0, -1.0])
    first = shape_features(Part(vertices, faces))
    second = shape_features(Part(vertices @ turn.T + 17.0, faces))
    for name in ("pair distances", "centre distances", "angles"):
        # Two draws of 60 000 into 64 equal bins differ by 0.019 in total variation.
        assert 0.5 * np.abs(second[name] - first[name]).sum() < 0.04, name
    np.testing.assert_allclose(second["proportions"], first["proportions"], rtol=0.03, atol=0.03)
    assert np.abs(second["outlines"] - first["outlines"]).mean() < 0.03
    for name in ("edges side", "edges top", "edges front"):
        off_by = np.linalg.norm(flipped_edges(second[name]) - first[name], axis=1).min()
        assert off_by < 0.25 * np.linalg.norm(first[name]), name


def test_flipped_edges_are_those_of_the_flipped_picture() -> None:
    from ballistics.printed.shape_class.features import _edges

    picture = np.random.Generator(np.random.PCG64(2)).random((PIXELS, PIXELS)) > 0.5
    pictures = (picture, picture[:, ::-1], picture[::-1], picture[::-1, ::-1])
    expected = np.stack([_edges(each) for each in pictures])
    np.testing.assert_allclose(flipped_edges(expected[0]), expected, atol=1e-6)


def test_the_side_view_lies_level_and_fills_the_picture() -> None:
    vertices, faces = _stand_in(HANDGUN, 0)
    turn = Rotation.from_euler("xyz", (20, 50, 70), degrees=True).as_matrix()
    turned = vertices @ turn.T
    axes = canonical_axes(turned, faces, sample_surface(turned, faces))
    # The thin way and the long straight edge are found, whatever the handle does to the spread.
    assert abs(axes[2] @ turn[:, 1]) > 0.9999
    assert max(abs(axes[0] @ turn[:, 0]), abs(axes[0] @ turn[:, 2])) > 0.9995
    view = canonical_view(turned, faces, axes, "side")
    columns = np.flatnonzero(view.inside.any(axis=0))
    rows = np.flatnonzero(view.inside.any(axis=1))
    assert max(np.ptp(columns), np.ptp(rows)) >= PIXELS - 3
    assert np.abs((view.near - view.far)[view.inside]).max() < 1e-3


@pytest.mark.parametrize(
    "mesh",
    [
        box((40.0, 30.0, 0.0)),
        (np.array([[0.0, 0, 0], [50, 0, 0], [0, 1e-4, 0]]), np.array([[0, 1, 2]])),
        box((1e-3, 1e-3, 1e-3)),
        box((2000.0, 0.01, 0.01)),
    ],
    ids=["flat", "sliver", "tiny", "wire"],
)
def test_degenerate_parts_have_finite_features(mesh, classifier: ShapeClassifier) -> None:
    features = shape_features(_part(mesh))
    assert all(np.isfinite(features[name]).all() and len(features[name]) == GROUPS[name] for name in GROUPS)
    assert 0.0 <= classifier.classify(features).likeness <= 1.0


def test_a_part_without_a_surface_is_refused() -> None:
    with pytest.raises(ParameterError, match="no surface"):
        shape_features(Part(np.zeros((3, 3)), np.array([[0, 1, 2]])))


def test_training_is_deterministic_and_chooses_by_left_out_sources(described, classifier: ShapeClassifier) -> None:
    again = train(*described)
    assert again.whole is not None
    assert classifier.whole is not None
    assert again.whole.weights.tobytes() == classifier.whole.weights.tobytes()
    assert again.least_likeness == classifier.least_likeness
    features, labels, sources = described
    rng = np.random.Generator(np.random.PCG64(1))
    # One group is made worthless: it is not chosen alone although it stands first.
    spoilt = [{**each, "angles": rng.permutation(each["angles"])} for each in features]
    chosen = train(spoilt, labels, sources, candidates=[("angles",), ("proportions",)])
    assert chosen.whole is not None
    assert chosen.whole.groups == ("proportions",)


@pytest.mark.slow
def test_labels_without_meaning_give_the_shares_of_the_classes() -> None:
    rng = np.random.Generator(np.random.PCG64(3))
    features = [shape_features(_part(_stand_in(ORDINARY, k / 4.0))) for k in range(24)]
    labels = [HANDGUN if v else ORDINARY for v in rng.permutation([True] * 8 + [False] * 16)]
    trained = train(features, labels, [f"source {k % 4}" for k in range(24)])
    shares = [trained.classify(each).probabilities[HANDGUN] for each in features]
    assert 0.1 < np.mean(shares) < 0.6
    assert max(shares) < 0.9


def test_few_references_and_unknown_labels_are_refused(described) -> None:
    features, labels, sources = described
    with pytest.raises(ParameterError, match="no class 'pistol'"):
        train(features, ["pistol", *labels[1:]], sources)
    with pytest.raises(ParameterError, match="23 labels"):
        train(features, labels[1:], sources)
    with pytest.raises(ParameterError, match="at least 3"):
        train(features[-6:], labels[-6:], sources[-6:])


def test_missing_classes_are_never_named(described) -> None:
    features, labels, sources = described
    rows = [k for k, label in enumerate(labels) if label in (LONG_GUN, ORDINARY)]
    trained = train([features[k] for k in rows], [labels[k] for k in rows], [sources[k] for k in rows])
    answer = trained.classify(features[labels.index(LONG_GUN)])
    assert answer.label == LONG_GUN
    assert answer.probabilities[HANDGUN] == answer.probabilities[PART] == 0.0


def test_a_file_gives_the_same_classifier(described, classifier: ShapeClassifier, tmp_path: Path) -> None:
    save_classifier(classifier, tmp_path / "a.npz")
    loaded = load_classifier(tmp_path / "a.npz")
    save_classifier(loaded, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert loaded.classify(described[0][0]) == classifier.classify(described[0][0])
    with pytest.raises(WriteError, match="never overwritten"):
        save_classifier(loaded, tmp_path / "a.npz")


def _changed(source: Path, target: Path, change) -> Path:
    """Write a classifier in which one array was changed."""
    with np.load(source) as stored:
        arrays = {name: stored[name] for name in stored.files}
    change(arrays)
    np.savez(target, **arrays)
    return target


def test_files_that_lie_are_refused(classifier: ShapeClassifier, tmp_path: Path) -> None:
    good = tmp_path / "good.npz"
    save_classifier(classifier, good)

    def head(**values):
        def change(arrays):
            arrays["head"] = np.array(json.dumps({**json.loads(str(arrays["head"])), **values}))

        return change

    def short(arrays):
        arrays["weights whole"] = arrays["weights whole"][:-1]

    def missing_value(arrays):
        arrays["references angles"][0, 0] = np.nan

    for k, change in enumerate(
        (short, missing_value, head(levels=[1.0]), head(machines={"whole": {}}), head(widths=3))
    ):
        with pytest.raises(CorruptFileError):
            load_classifier(_changed(good, tmp_path / f"bad{k}.npz", change))
    with pytest.raises(UnsupportedFormatError, match="another version"):
        load_classifier(_changed(good, tmp_path / "old.npz", head(version="0")))
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(UnsupportedFormatError):
        load_classifier(tmp_path / "text.npz")
    with pytest.raises(ReadError):
        load_classifier(tmp_path / "none.npz")
    whole = good.read_bytes()
    for length in range(0, len(whole), len(whole) // 12):
        (tmp_path / "cut.npz").write_bytes(whole[:length])
        with pytest.raises(BallisticsError):
            load_classifier(tmp_path / "cut.npz")


def test_a_declared_bomb_is_not_unpacked(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("head.npy", bytes(1 << 20))
    raw = bytearray(packed.getvalue())
    place = raw.rfind(b"PK\x01\x02") + 24  # the declared size in the directory
    raw[place : place + 4] = (1 << 31).to_bytes(4, "little")
    (tmp_path / "bomb.npz").write_bytes(bytes(raw))
    with pytest.raises(CorruptFileError, match="too large"):
        load_classifier(tmp_path / "bomb.npz")


def test_joined_parts_are_one_thing() -> None:
    first, other = _part(wedge()), _part(box(origin=(80.0, 0.0, 0.0)))
    both = joined([first, other])
    vertices, faces = together(wedge(), box(origin=(80.0, 0.0, 0.0)))
    assert np.array_equal(both.vertices_mm, vertices)
    assert np.array_equal(both.faces, faces)
