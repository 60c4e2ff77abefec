"""Decodes image bytes by OpenCV, and catches what its C libraries would print to the terminal.

libjpeg repairs a damaged image silently but for one line on the standard error stream; that line
must reach the examiner as a finding, not the terminal.
"""

from __future__ import annotations

import importlib
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError

_STANDARD_ERROR = 2
_LOCK = threading.Lock()


def decode_image(data: bytes) -> tuple[NDArray[Any], str]:
    """Decode an image as it is stored: all bits, all channels (blue first), no EXIF rotation.

    Returns
    -------
    pixels : ndarray, shape (rows, columns) or (rows, columns, channels)
    complaint : str
        First line that the decoder printed, empty when it had no complaint.

    Raises
    ------
    CorruptFileError
        The data cannot be decoded.
    """
    cv2: Any = importlib.import_module("cv2")
    levels = cv2.utils.logging
    with _LOCK, _captured() as printed:
        level = levels.getLogLevel()
        # OpenCV's own log lines carry the time of day; what they say is raised or in the pixels.
        levels.setLogLevel(levels.LOG_LEVEL_SILENT)
        try:
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error as error:
            raise CorruptFileError(f"the image cannot be decoded: {error.err}") from error
        finally:
            levels.setLogLevel(level)
    complaint = printed[0] if printed else ""
    if pixels is None:
        raise CorruptFileError(f"the image cannot be decoded: {complaint or 'its data are damaged'}")
    return np.asarray(pixels), complaint


@contextmanager
def _captured() -> Iterator[list[str]]:
    """Collect the lines written to the process's standard error stream meanwhile."""
    lines: list[str] = []
    try:
        saved = os.dup(_STANDARD_ERROR)
    except OSError:  # a service without a standard error stream: nothing can be printed either
        yield lines
        return
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), _STANDARD_ERROR)
        try:
            yield lines
        finally:
            os.dup2(saved, _STANDARD_ERROR)
            os.close(saved)
            sink.seek(0)
            lines += sink.read(4096).decode("utf-8", "replace").splitlines()
