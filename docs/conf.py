"""How Sphinx makes the documentation: offline, from the docstrings, the pages beside this file and the gallery."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "kernels")]

import reference_pages  # noqa: E402 - beside this file, which Sphinx does not put on the path

from ballistics import __version__  # noqa: E402 - likewise, so that the docs are of this copy

project = "ballistics"
author = "the ballistics developers"
copyright = "the ballistics developers, Apache-2.0"
release = version = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
root_doc = "index"
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
exclude_patterns = ["build", "_templates", "tutorials/*.py", "tutorials/README.rst"]

# Anchors for the headings that pages link to.
myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]
# Pages are read on GitHub too, where they link to files of the code.
suppress_warnings = ["config.cache"]

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's sections state them in words and units
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "pydata_sphinx_theme"
html_title = f"ballistics {release}"
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": False,
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 7,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "search_as_you_type": True,
}

sphinx_gallery_conf = {
    "examples_dirs": ["tutorials"],
    "gallery_dirs": ["gallery"],
    "filename_pattern": r"\.py$",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "image_scrapers": ("matplotlib",),
    "matplotlib_animations": False,
    "min_reported_time": 60,
    "reset_modules": (),
}


def setup(app: Any) -> None:
    """Write the pages of the reference before Sphinx looks for its sources."""
    app.connect("config-inited", lambda app, config: reference_pages.write(HERE / "reference"), priority=100)
