"""Workbooks for Excel: tables as sheets, in which no text can become a formula."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ballistics.files import written_whole

# The same content has the same bytes, whenever it is written.
_MADE = datetime(2000, 1, 1)


def write_workbook(path: Path, sheets: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Any]]]]) -> None:
    """Write tables as the sheets of a workbook; text is stored as text, whatever it begins with.

    Parameters
    ----------
    path : Path
        Its name ends in ``.xlsx``.
    sheets : iterable of (str, headings, rows)
        Each sheet's name, at most 31 characters, its headings, and its rows of texts and numbers.
    """
    import xlsxwriter

    as_text = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with written_whole(path) as part:
        book = xlsxwriter.Workbook(str(part), as_text)
        book.set_properties({"created": _MADE})
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        for name, headings, rows in sheets:
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 1)
            widths = [len(heading) for heading in headings]
            for column, heading in enumerate(headings):
                sheet.write_string(0, column, heading, bold)
            for number, row in enumerate(rows, 1):
                for column, value in enumerate(row):
                    widths[column] = max(widths[column], len(str(value)))
                    if isinstance(value, int | float):
                        sheet.write_number(number, column, value)
                    else:
                        sheet.write_string(number, column, str(value)[:32767])
            for column, width in enumerate(widths):
                sheet.set_column(column, column, min(50, width + 2))
        book.close()
