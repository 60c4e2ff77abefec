"""The library as its users have it: a store that is looked after and searched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ballistics.library import LibraryStore

if TYPE_CHECKING:
    from ballistics.evidence import ReferencePopulation
    from ballistics.library import Integrity, Where
    from ballistics.progress import Progress
    from ballistics.search.library_search import SearchResult
    from ballistics.surfaces import Mark


class Library(LibraryStore):
    """A collection of marks that can be searched; what it keeps and how, see `LibraryStore`.

    Examples
    --------
    >>> import tempfile
    >>> from ballistics.library import Description
    >>> from ballistics.surfaces import prepare, simulate_firearm, simulate_head, simulate_shot
    >>> head = simulate_head(simulate_firearm(1), simulate_shot(2), spacing_um=12.5)
    >>> mark = prepare(head.surface)
    >>> with tempfile.TemporaryDirectory() as folder, Library.create(Path(folder) / "open cases") as library:
    ...     library.enrol(mark, "K-17.x3p", Description(calibre="9 mm Luger")).outcome
    ...     [entry.scan for entry in library.search(mark).same_scan]
    'enrolled'
    ['K-17.x3p']
    """

    def renew_templates(self, progress: Progress | None = None) -> int:
        """Make the template of every mark that has none of the current version; see `renew_templates`."""
        from ballistics.library import renew_templates

        return renew_templates(self, progress)

    def verify(self, tidy: bool = False, progress: Progress | None = None) -> Integrity:
        """Check every row, every array and every template; see `library.integrity.verify`."""
        from ballistics.library import verify

        return verify(self, tidy, progress)

    def backup(self, folder: str | Path, progress: Progress | None = None) -> Integrity:
        """Copy the library while it is in use; see `library.backup.backup`."""
        from ballistics.library import backup

        return backup(self, Path(folder), progress)

    def search(
        self,
        mark: Mark,
        scan: str = "",
        top: int = 20,
        where: Where | None = None,
        population: ReferencePopulation | None = None,
        progress: Progress | None = None,
    ) -> SearchResult:
        """Rank the marks of the library by how well they agree with a mark.

        Marks that the filter admits are ranked by their templates, at every rotation; the best are registered with the
        mark and ranked by similarity. With a population, the leads are also compared cell by cell, and their scores
        compared with its different-source scores.

        Parameters
        ----------
        mark : Mark
            From `ballistics.prepare`.
        scan : str
            What reports call it.
        top : int
            How many leads are listed, at least 1.
        where : mapping, optional
            Class filter, see `contents`: a mark for which the field is not stated is searched.
        population : ReferencePopulation, optional
            Known scores; used if it covers the comparison.
        progress : callable, optional
            Told the stage, how many are done, and how many there are.

        Returns
        -------
        SearchResult

        Raises
        ------
        ParameterError
            For a filter by a field that no description has, ``top`` below 1, or a mark without provenance.
        CorruptFileError
            When the templates are damaged.
        """
        from ballistics.search.library_search import search

        return search(self, mark, scan, top, where, population, progress)
