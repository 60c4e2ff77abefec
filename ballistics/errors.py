"""One exception tree. Every message says what was found, where, and what to do next."""


class BallisticsError(Exception):
    """Base of every error the package raises on purpose."""

    #: Which of two scans it is about, ``"a"`` or ``"b"``; empty where there is one, or it is about neither.
    scan: str = ""


class ReadError(BallisticsError):
    """A file cannot be read as evidence."""


class UnsupportedFormatError(ReadError):
    """The file is of a format, or uses a feature of a format, that no reader here handles."""


class UnknownFormatError(UnsupportedFormatError):
    """Nothing in the file says that it is of a kind that is read here at all."""


class CorruptFileError(ReadError):
    """The file contradicts itself: truncated, wrong size, broken XML or archive."""


class HostileFileError(ReadError):
    """The file asks for something no measurement needs: entities, paths outside the archive, a bomb."""


class UnitsError(ReadError):
    """The lengths in the file are not plausible for a toolmark; probably the wrong unit was written."""


class WriteError(BallisticsError):
    """A file cannot be written, or would overwrite another."""


class ParameterError(BallisticsError, ValueError):
    """A parameter is outside its range, or does not fit the data it is used with."""


def was_interrupted(error: BaseException | None) -> bool:
    """Return whether an error is the user's Ctrl-C, also where compiled code met it and reported a `SystemError`.

    Parameters
    ----------
    error : BaseException or None
        Its causes are looked at too.

    Examples
    --------
    >>> was_interrupted(KeyboardInterrupt()), was_interrupted(SystemError("returned a result with an exception set"))
    (True, False)
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return error is not None
