"""Results as report files."""

from __future__ import annotations

import os
from pathlib import Path

from ballistics.errors import ParameterError, WriteError
from ballistics.files import write_whole
from ballistics.front.file_comparison import FileComparison
from ballistics.pairs import Links
from ballistics.reports import CaseLines, links_report


def report(
    result: FileComparison | Links,
    path: str | os.PathLike[str],
    *,
    case: CaseLines | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a result as one self-contained HTML file; the same result gives the same bytes.

    Parameters
    ----------
    result : FileComparison or Links
    path : path
        Ends with ``.html``.
    case : CaseLines, optional
        Case, exhibits and examiner, at the head of every page of a comparison.
    overwrite : bool
        Whether a file that exists is replaced.

    Returns
    -------
    Path
        Where it is.

    Raises
    ------
    ParameterError
        For another ending.
    WriteError
        When the file exists already, or cannot be written.
    """
    out = Path(path)
    if out.suffix.lower() not in (".html", ".htm"):
        raise ParameterError(f"{out}: a report is written as .html; end its name so")
    if out.exists() and not overwrite:
        raise WriteError(f"{out} exists already: choose another name, or allow it with overwrite=True")
    page = links_report(result) if isinstance(result, Links) else result.page(case)
    write_whole(out, page.encode("utf-8", "replace"))
    return out
