"""Reports of a case: what they state, that they stay the same, what they hide, and what they never claim."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import zlib
from dataclasses import replace

import pytest
import sqlalchemy as sa
from casework_story import laboratory
from report_cases import INJECTION
from report_story import authorised, conclusion, draft, examined, quality, simulated

from ballistics.casework import (
    Calibration,
    Comparison,
    Conclusion,
    Firearm,
    Information,
    Nonconformity,
    Report,
    Resolution,
    Review,
    Scan,
    Session,
    Shot,
    Transfer,
    Unmasking,
    Validation,
    case_report,
)
from ballistics.errors import CorruptFileError, ParameterError
from ballistics.evidence import format_ratio, languages
from ballistics.records import RefusedError
from ballistics.reports import case_pages
from ballistics.reports.contents.case_blocks import CaseDocument, Paragraph
from ballistics.reports.figures.kept_pair import kept_pictures
from ballistics.reports.pages.case_pdf import case_pdf

# What would be read as evidence; in each language the word for what a lead must not say.
CLAIMS = re.compile(
    r"match|likelihood|\blr\b|log10|nats|probab|identif|score|support|веродостојност|веројатн|совпаѓ|подудар|поддршк|"
    r"vjerodostojn|vjerovatn|podudar|poklap|podršk|verosimilit|probabil|\bpotriv|sprijin|gjasa|përputh|mbështetje për|"
    r"резултат[аи]? \d|\b810\b|\d{2,3},\d nats",
    re.IGNORECASE,
)
DRAWN = {}
needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not on this machine")


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("scans"))


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(autouse=True)
def pictures_drawn_once(monkeypatch):
    """Draw the pictures of the same two marks once for all tests; they cost more than all the rest."""

    def remembered(a, b, pose):
        key = a.path.name, a.mark_sha256, b.path.name, b.mark_sha256, pose
        if key not in DRAWN:
            DRAWN[key] = kept_pictures(a, b, pose)
        return DRAWN[key]

    monkeypatch.setattr("ballistics.reports.pages.case.kept_pictures", remembered)


@pytest.fixture
def lab(tmp_path):
    lab = laboratory(tmp_path / "laboratory")
    yield lab
    lab.book.close()


@pytest.fixture
def examined_lab(lab, compared):
    quality(lab, compared[0])
    examined(lab, *compared)
    return lab


def text_of(page):
    """Return what a page of HTML shows, as one line."""
    body = page.decode().partition("<body>")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def shown(lab, report="R-1", **more):
    return text_of(case_pages(lab.book, report, ("html",), **more)["html"])


def pdf_text(pdf, tmp_path, *options):
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf)
    found = subprocess.run(["pdftotext", *options, str(path), "-"], capture_output=True, check=True)
    return found.stdout.decode().replace("\u200b", "")


def reddish(pdf, tmp_path):
    """Return which share of each page is reddish, as a watermark makes it."""
    import cv2

    (tmp_path / "page.pdf").write_bytes(pdf)
    subprocess.run(["pdftoppm", "-r", "20", "-png", str(tmp_path / "page.pdf"), str(tmp_path / "page")], check=True)
    pictures = [cv2.imread(str(path)).astype(int) for path in sorted(tmp_path.glob("page-*.png"))]
    return [float((picture[..., 2] > picture[..., 1] + 6).mean()) for picture in pictures]


def test_it_states_what_the_records_and_the_kept_result_say(examined_lab, compared):
    lab, (found, _) = examined_lab, compared
    entry = authorised(lab, draft(lab))
    page = shown(lab)
    ratio = found.evaluation.weighed.result
    for sentence in found.evaluation.wording.sentences:
        assert sentence in page
    assert format_ratio(ratio.log10_lr) in page
    assert f"{found.similarity:.1f} nats" in page
    assert f"Congruent cells, A in B and B in A {found.comparison.rules['significance'].a_in_b.count} / " in page
    for text in ("seized", "S-201; intact before", "calibrated 2025-11-20, valid until 2026-12-31, certificate K-881",
                 "validated: study VAL-1, concluded 2026-02-01", "authorised since 2025-01-01: course of 2024",
                 "arched lines, one scratch", "first examiner", "verifies C-1/C-E1", "Operator AU",
                 "not blind: scores and information were open", "HIDDEN a suspect was named",
                 "The case holds no other comparison and no other conclusion than those stated.",
                 f"verified from its first entry to entry {entry}:",
                 f"ballistics case report LABORATORY R-1 --as-of {entry}"):  # fmt: skip
        assert text in page, text
    for scan in lab.book.all(Scan, "C-1"):
        assert scan.record.file in page
    digits = lab.book.log.head().hash
    assert " ".join(digits[start : start + 8] for start in range(0, 64, 8)) in page
    assert "NOT AUTHORISED" not in page
    assert "DRAFT" not in page
    assert "as they were compared, B turned and shifted onto A" in page


def test_an_authorised_report_stays_the_same_whatever_is_recorded_since(examined_lab):
    lab = examined_lab
    entry = authorised(lab, draft(lab))
    first = case_pages(lab.book, "R-1")
    assert case_pages(lab.book, "R-1") == first
    lab.record("QM", Calibration("CAL-2", instrument="INS-1", on="2025-11-21", due="2025-12-01", by="x",
                                 certificate="other", outcome="failed"))  # fmt: skip
    lab.record("CU", Transfer("C-1/T9", case="C-1", items=("C-1/1",), event="returned", at="2026-12-01",
                              place="court", by="CU"))  # fmt: skip
    lab.amend("E1", replace(lab.book.get(Conclusion, "C-1/C-E1").record, reasons="other reasons"))
    lab.book.revoke(lab.keys["AD"], lab.keys["E1"].identifier, "lost")
    assert case_pages(lab.book, "R-1") == first
    assert case_pages(lab.book, "R-1", as_of=entry) == first
    assert case_pages(lab.book, "R-1", as_of=entry + 4) != first


def test_the_watermark_stands_until_exactly_this_draft_is_authorised(examined_lab):
    lab = examined_lab
    number = draft(lab)
    assert shown(lab).count("DRAFT – NOT AUTHORISED") == 2
    early = case_pages(lab.book, "R-1", as_of=number)
    entry = authorised(lab, number)
    released = case_pages(lab.book, "R-1")
    assert "DRAFT" not in text_of(released["html"])
    assert b'watermark"' not in released["html"]
    assert case_pages(lab.book, "R-1", as_of=number) == early
    lab.amend("E1", replace(lab.book.get(Report, "R-1").record, summary="Other words."))
    page = shown(lab)
    assert "DRAFT – NOT AUTHORISED" in page
    assert "draft 2" in page
    assert "NOT REVIEWED" in page
    assert case_pages(lab.book, "R-1", as_of=entry) == released
    with pytest.raises(ParameterError, match=f"no report 'R-1' at entry {number - 1}"):
        case_pages(lab.book, "R-1", as_of=number - 1)
    with pytest.raises(ParameterError, match="not 10000"):
        case_pages(lab.book, "R-1", as_of=10_000)


@needs_poppler
@pytest.mark.parametrize("language", languages())
@pytest.mark.slow
def test_a_lead_claims_nothing_in_any_language(examined_lab, language, tmp_path):
    lab = examined_lab
    number = draft(lab, "lead", summary="Beide")
    for is_authorised in (False, True):
        if is_authorised:
            authorised(lab, number)
        pages = case_pages(lab.book, "R-1", language=language)
        page, pdf = text_of(pages["html"]), pdf_text(pages["pdf"], tmp_path)
        for text in (page, pdf):
            assert CLAIMS.search(text) is None, CLAIMS.search(text)
        assert b"<img" not in pages["html"]
        watermark = re.search(r'<div class="watermark"[^>]*><span>(.*?)</span>', pages["html"].decode())[1]
        assert all(watermark in " ".join(each.split()) for each in pdf.split("\f")[:-1])
        assert min(reddish(pages["pdf"], tmp_path)) > 0.01  # across every page


@pytest.mark.parametrize(
    "summary", ["The two match.", "Likelihood ratio 500", "log10 LR of 3", "LR = 200", "однос на веродостојност 7"]
)
def test_a_lead_whose_author_claims_something_is_refused(examined_lab, summary):
    draft(examined_lab, "lead", summary=summary)
    with pytest.raises(ParameterError, match="a lead makes no evidential claim"):
        case_pages(examined_lab.book, "R-1", ("html",))


TYPST = (
    r'#panic("x") $sum$ *bold* _it_ `raw` <label> @ref \ #eval("1+1") = heading // comment [x] #import "/etc/passwd"'
)


@needs_poppler
def test_hostile_text_is_shown_as_it_was_written(lab, compared, tmp_path):
    words = f"{INJECTION} {TYPST} {'x' * 300} {{name}} %s"
    quality(lab, compared[0])
    examined(lab, *compared, words=words)
    number = draft(lab, words=words)
    authorised(lab, number, words=words)
    pages = case_pages(lab.book, "R-1")
    page = pages["html"].decode()
    assert "<script" not in page
    assert not re.search(r"<img(?! src=\"data:image/png;base64,[A-Za-z0-9+/=]+\" alt)", page)
    assert page.count(html.escape(INJECTION, quote=False).partition("&gt;")[0]) > 10
    assert f"brass, primer intact {words}; intact" in text_of(pages["html"])
    text = "".join(pdf_text(pages["pdf"], tmp_path, "-raw").split())
    assert "".join(f"brass, primer intact {words}".split()) in text
    # Nothing stands beyond the margins of a page.
    boxes = re.findall(r'<word xMin="([\d.]+)"[^>]* xMax="([\d.]+)"', pdf_text(pages["pdf"], tmp_path, "-bbox"))
    assert len(boxes) > 500
    assert min(float(low) for low, _ in boxes) > 50
    assert max(float(high) for _, high in boxes) < 595.3 - 50


@needs_poppler
@pytest.mark.parametrize(
    ("text", "shown_as"),
    [
        ("汉字 and 仮名", "[U+6C49][U+5B57] and [U+4EEE][U+540D]"),
        ("a \N{PISTOL}", "a [U+1F52B]"),
        ("\ue000 \ufeff", "[U+E000] [U+FEFF]"),
        ("ѓќѕџ ăîșț → ½", "ѓќѕџ ăîșț → ½"),
    ],
)
def test_characters_without_a_shape_are_named_by_their_number(text, shown_as, tmp_path):
    document = CaseDocument("t", "en", "a", "2026-11-30T21:04:05Z", (), text, "f", "{page}/{pages}", (Paragraph(text),))
    pdf = case_pdf(document)
    assert case_pdf(document) == pdf
    assert pdf_text(pdf, tmp_path).count(shown_as) == 2


@needs_poppler
@pytest.mark.parametrize("language", languages())
@pytest.mark.slow
def test_every_language_gives_a_summary_of_one_page_then_the_report(lab, compared, language, tmp_path):
    # As much as the first page may have to hold.
    quality(lab, compared[0], due="2026-10-01", validated=False, competent=())
    examined(lab, *compared, words="long words " * 60)
    draft(lab, summary="All that was found, and what it means for the question that was asked. " * 6)
    pages = case_pages(lab.book, "R-1", language=language)
    parts = pdf_text(pages["pdf"], tmp_path, "-layout").split("\f")
    title = re.search(r"<h1>(.*?R-1)</h1>", pages["html"].decode())[1]
    assert [number for number, text in enumerate(parts, 1) if re.search(rf"^\s*{re.escape(title)}\s*$", text, re.M)] \
        == [2]  # fmt: skip
    assert f'<html lang="{language}">' in pages["html"].decode()
    if language in ("mk", "sr"):
        assert len(re.findall("[Ѐ-ӿ]", parts[0])) > 400
    unconfirmed = {"mk": "Преводот треба да биде потврден", "en": "to be confirmed"}.get(language)
    assert unconfirmed is None or (unconfirmed in parts[0]) == (language != "en")


def test_the_pdf_is_of_the_archive_kind_with_no_date_but_that_of_the_log(examined_lab, tmp_path):
    lab = examined_lab
    authorised(lab, draft(lab))
    pdf = case_pages(lab.book, "R-1", ("pdf",))["pdf"]
    assert pdf.startswith(b"%PDF-1.7")
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in pdf
    stamp = case_report(lab.book, "R-1").time
    dates = set(re.findall(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", pdf)) | set(re.findall(rb"D:(\d{14})", pdf))
    assert dates == {stamp[:19].encode(), re.sub(r"\D", "", stamp).encode()}
    # What ISO 19005-2 asks and can be seen without a validator: it is tagged, states its colours, has its fonts, and
    # nothing in it runs, plays, is encrypted or lies elsewhere.
    objects = unpacked(pdf)
    for needed in (rb"/GTS_PDFA1", rb"/DestOutputProfile", rb"/StructTreeRoot", rb"/Marked true", rb"/Lang"):
        assert re.search(needed, objects), needed
    for forbidden in (rb"/JavaScript", rb"/JS\b", rb"/Encrypt\b", rb"/Launch", rb"/EmbeddedFile", rb"/LZWDecode",
                      rb"/PostScript", rb"/RichMedia", rb"/Movie", rb"/Sound"):  # fmt: skip
        assert not re.search(forbidden, objects), forbidden
    fonts = re.findall(rb"/FontDescriptor\b[^>]*?/FontName ?/([^/ \r\n]+)", objects)
    assert len(fonts) == len(set(fonts)) > 0
    assert len(re.findall(rb"/FontFile[23]? \d+ 0 R", objects)) == len(fonts)


def unpacked(pdf):
    """Return a PDF with what its compressed object streams hold, for a look at its dictionaries."""
    found = [re.sub(rb"stream\r?\n.*?endstream", b"", pdf, flags=re.S)]
    for head, data in re.findall(rb"<<([^<]*?/ObjStm.*?)>>\s*stream\r?\n(.*?)endstream", pdf, re.S):
        found.append(zlib.decompressobj().decompress(data) if b"/FlateDecode" in head else data)
    return b"\n".join(found)


def test_what_an_assessor_would_ask_stands_on_the_first_page(lab, compared):
    quality(lab, compared[0], due="2026-11-02", validated=False, competent=("E1",))
    examined(lab, *compared)
    lab.record("E1", Nonconformity("NC-1", found="2026-11-05", what="a lens was dirty", cases=("C-1",)))
    lab.record("CU", Transfer("C-1/T9", case="C-1", items=("C-1/2",), event="received", at="2026-11-04", place="lab",
                              by="CU", seal_intact="no"))  # fmt: skip
    draft(lab)
    first = shown(lab).partition("What was asked")[0]
    for text in ("instrument INS-1: OVERDUE: calibrated 2025-11-20, valid until 2026-11-02",
                 "NO VALIDATION of this version is recorded", "Operator E2: NO AUTHORISATION for the method",
                 "A seal was not intact on 2026-11-04: item C-1/2", "on record for this case: NC-1"):  # fmt: skip
        assert text in first, text
    made = compared[0].comparison.provenance
    lab.record("QM", Validation("VAL-9", method=made.method, version=made.version, on="2099-01-01", outcome="passed"))
    assert "NOT VALIDATED when it was used: study VAL-9" in shown(lab)
    lab.record("QM", Validation("VAL-8", method=made.method, version=made.version, on="2020-01-01", outcome="failed"))
    assert "VALIDATION FAILED: study VAL-8" in shown(lab)
    lab.record("QM", Calibration("CAL-3", instrument="INS-1", on="2026-11-01", due="2027", by="x", certificate="K-9",
                                 outcome="failed"))  # fmt: skip
    assert "CALIBRATION FAILED on 2026-11-01, certificate K-9" in shown(lab)


@pytest.mark.parametrize("kind", ["evaluative", "lead"])
def test_a_blind_case_hides_what_was_not_shown(lab, compared, kind):
    quality(lab, compared[0])
    examined(lab, *compared, blind=True)
    number = draft(lab, kind)
    reader = lab.keys["E1"]
    page = shown(lab, reader=reader)
    # The scores were shown to the author, the information was not.
    assert "HIDDEN" not in page
    if kind == "evaluative":
        assert "not shown to the author: 1." in page
        assert "blind: scores and information were hidden until" in page
    with pytest.raises(RefusedError, match="say who reads the draft"):
        shown(lab)
    with pytest.raises(RefusedError, match="shown to Operator E2 after an observation"):
        shown(lab, reader=lab.keys["E2"])
    with pytest.raises(RefusedError, match="say who reads the draft"):
        shown(lab, as_of=number)
    assert shown(lab, reader=lab.keys["RE"]) == page
    lab.record("E2", Unmasking("C-1/U2", case="C-1", conclusion="C-1/C-E2", shown=("scores",)))
    assert shown(lab, reader=lab.keys["E2"])
    authorised(lab, number)
    assert "HIDDEN" not in shown(lab)
    with pytest.raises(RefusedError, match="say who reads the draft"):
        shown(lab, as_of=number)  # the draft as it was is one still


def test_information_that_was_shown_is_in_the_report(lab, compared):
    quality(lab, compared[0])
    examined(lab, *compared, blind=True)
    lab.record("E1", Unmasking("C-1/U3", case="C-1", conclusion="C-1/C-E1", shown=("information",)))
    lab.amend("E1", conclusion("E1", value="inconclusive A", after_unmasking=True))
    draft(lab)
    page = shown(lab, reader=lab.keys["E1"])
    assert "HIDDEN a suspect was named" in page
    assert "Conclusion C-1/C-E1 was recorded after scores or information on the case had been shown." in page
    assert "RECORDED AFTER scores or information had been shown" in page
    assert lab.book.all(Information, "C-1")


def test_a_dissent_is_never_left_out_and_a_resolution_stands_beside_it(lab, compared):
    quality(lab, compared[0])
    examined(lab, *compared)
    lab.amend("E2", conclusion("E2", value="inconclusive B", verifies="C-1/C-E1"))
    draft(lab, conclusions=("C-1/C-E1",))  # the author names only the first
    page = shown(lab)
    assert "Verification by Operator E2: inconclusive B." in page
    assert "The examiners disagree, and the disagreement has not been resolved." in page
    lab.record("RE", Resolution("C-1/RES", case="C-1", conclusions=("C-1/C-E1", "C-1/C-E2"), value="inconclusive B",
                                reasons="too few marks"))  # fmt: skip
    page = shown(lab)
    assert "has not been resolved" not in page
    assert "Resolution by Operator RE" in page
    assert "too few marks" in page
    assert "both conclusions stand" in page


def test_a_comparison_with_a_test_fire_names_firearm_session_and_ammunition(examined_lab, compared):
    lab = examined_lab
    lab.record("SH", Firearm("F-7", make="Crvena Zastava", model="M88", calibre="9 mm Luger", serial="K?77"))
    lab.record("SH", Session("S-7", firearm="F-7", ammunition="PPU lot 12", date="2026-11-04", place="range 2",
                             operator="SH", checklist="example", answers=("bore clear",)))  # fmt: skip
    lab.record("SH", Shot("S-7/1", session="S-7", recovered="cartridge case"))
    questioned = lab.book.get(Scan, "C-1/2/S").record
    lab.record("SH", replace(questioned, id="S-7/1/S", case="", item="S-7/1"))
    record = lab.book.get(Comparison, "C-1/V").record
    lab.amend("E1", replace(record, scans=("C-1/1/S", "S-7/1/S")))
    draft(lab)
    page = shown(lab)
    assert (
        "S-7/1: test fire of firearm F-7 (Crvena Zastava M88, 9 mm Luger, K?77)" in page.partition("What was found")[0]
    )
    assert "F-7, Crvena Zastava, M88, 9 mm Luger, serial number K?77 PPU lot 12 S-7 2026-11-04 SH; range 2" in page
    assert format_ratio(compared[0].evaluation.weighed.result.log10_lr) in page


def test_other_comparisons_of_the_case_are_counted(examined_lab):
    lab = examined_lab
    lab.record("E1", replace(lab.book.get(Comparison, "C-1/V").record, id="C-1/V2"))
    draft(lab)
    assert "does not state: comparisons, 1; conclusions, 0." in shown(lab)


@pytest.mark.slow
def test_a_likelihood_ratio_that_the_kept_result_does_not_bear_out_is_not_stated(examined_lab, compared):
    lab, (found, _) = examined_lab, compared
    record, document = lab.book.get(Comparison, "C-1/V").record, json.loads(found.json())
    draft(lab)
    value = format_ratio(found.evaluation.weighed.result.log10_lr)
    assert f"{value} times" in shown(lab)

    def kept(changed):
        return lab.book.files.keep_bytes(json.dumps(changed).encode())

    swapped = {**document, "scans": {"a": document["scans"]["b"], "b": document["scans"]["a"]}}
    for change, reason in (
        ({"log10_lr": 6.0}, "the kept file states another likelihood ratio than the record"),
        ({"log10_lr": None}, "the kept file states another likelihood ratio than the record"),
        ({"version": "999"}, "the record another one"),
        ({"result": kept(swapped)}, "the result of other scans than the record names"),
        ({"result": kept({"score": 1})}, "is not the result of a comparison"),
        ({"result": kept({**document, "comparison": 3})}, "is not the result of a comparison"),
        ({"result": lab.book.files.keep_bytes(b"\x00 no JSON")}, "is not the result of a comparison"),
    ):
        lab.amend("E1", replace(record, **change))
        page = shown(lab)
        assert f"No likelihood ratio is stated: {reason}" in page or reason in page
        assert f"{value} times" not in page
        assert reason in page.partition("What was asked")[0]


def test_without_a_population_the_reason_stands_where_the_number_would(examined_lab, compared):
    lab = examined_lab
    bare = replace(compared[0], evaluation=None)
    record = replace(lab.book.get(Comparison, "C-1/V").record, result=lab.book.files.keep_bytes(bare.json()),
                     log10_lr=None, log10_lower=None, log10_upper=None)  # fmt: skip
    lab.amend("E1", replace(record, no_lr="no population covers this ammunition."))
    draft(lab)
    page = shown(lab)
    assert page.count("No likelihood ratio is stated: no population covers this ammunition.") == 2
    assert "the comparison says nothing on the strength of the findings" in page
    assert "times more probable" not in page


def test_no_report_is_made_of_records_that_cannot_be_relied_on(examined_lab):
    lab = examined_lab
    authorised(lab, draft(lab))
    name = lab.book.get(Scan, "C-1/1/S").record.file
    path, data = lab.book.files.path(name), lab.book.files.read(name)
    path.write_bytes(data[:-1])
    with pytest.raises(CorruptFileError, match="no report is made without it"):
        shown(lab)
    path.write_bytes(data)
    assert shown(lab)
    with lab.book.library.engine.begin() as connection:
        changed = "UPDATE entries SET content = replace(content, 'paper bag', 'steel box')"
        connection.execute(sa.text(changed))
    with pytest.raises(CorruptFileError, match="the log does not verify"):
        shown(lab)


def test_a_returned_draft_says_so(examined_lab):
    lab = examined_lab
    number = draft(lab)
    lab.record("RE", Review("R-1/R0", case="C-1", report="R-1", report_entry=number, outcome="returned", note="scale"))
    page = shown(lab)
    assert "The reviewer returned this draft." in page
    assert "Note of the reviewer scale" in page


def test_what_is_refused(examined_lab):
    draft(examined_lab)
    with pytest.raises(ParameterError, match="html or pdf, not as 'docx'"):
        case_pages(examined_lab.book, "R-1", ("docx",))
    with pytest.raises(ParameterError, match="no texts in language 'xx'"):
        case_pages(examined_lab.book, "R-1", language="xx")
    with pytest.raises(ParameterError, match="there is no report 'R-9'"):
        case_pages(examined_lab.book, "R-9")
