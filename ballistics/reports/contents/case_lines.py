"""What the laboratory says of a case: number, exhibits, examiner; at the head of every page of a report."""

from __future__ import annotations

from dataclasses import dataclass

from ballistics.errors import ParameterError

_LONGEST = 120


@dataclass(frozen=True)
class CaseLines:
    """The lines of a case, each as the laboratory writes it; empty when not stated.

    Parameters
    ----------
    case : str
        Its number or name.
    exhibit_a, exhibit_b : str
        What A and B are, e.g. an exhibit number.
    examiner : str

    Raises
    ------
    ParameterError
        For a line longer than 120 characters, or of several lines: it must fit the head of a page.

    Examples
    --------
    >>> CaseLines("2026/114", "K1", "Q3").running_head
    'Case 2026/114 · A: K1 · B: Q3'
    """

    case: str = ""
    exhibit_a: str = ""
    exhibit_b: str = ""
    examiner: str = ""

    def __post_init__(self) -> None:
        for name in ("case", "exhibit_a", "exhibit_b", "examiner"):
            text = getattr(self, name)
            if len(text) > _LONGEST or any(ord(c) < 32 or ord(c) == 127 for c in text):
                raise ParameterError(
                    f"{name.replace('_', ' ')} is {len(text)} characters long or has a line break; a head line of a "
                    f"report holds {_LONGEST} characters in one line: shorten it"
                )

    def exhibit(self, letter: str) -> str:
        """Return what scan "a" or "b" is."""
        return self.exhibit_a if letter == "a" else self.exhibit_b

    @property
    def running_head(self) -> str:
        """The line at the head of every printed page; empty when nothing is stated."""
        lines = (("Case ", self.case), ("A: ", self.exhibit_a), ("B: ", self.exhibit_b), ("", self.examiner))
        return " · ".join(before + text for before, text in lines if text)

    @property
    def options(self) -> tuple[str, ...]:
        """The words of the command line that give them."""
        named = (
            ("--case", self.case),
            ("--exhibit-a", self.exhibit_a),
            ("--exhibit-b", self.exhibit_b),
            ("--examiner", self.examiner),
        )
        return tuple(word for name, text in named if text for word in (name, text))
