"""Sphinx configuration of the documentation site. Its source folder is the repository, so links between files work.

python -m sphinx -W --keep-going -c docs . SITE

The top page of the site redirects to docs/index.html.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent
START_PAGE = "docs/index"
REDIRECT = f"""<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={START_PAGE}.html">
<title>funcsched</title>
<a href="{START_PAGE}.html">funcsched</a>
"""

sys.path.insert(0, str(ROOT))

from docs import playground  # noqa: E402

project = "funcsched"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_inline_tabs",
    "docs.site",
]
root_doc = START_PAGE
include_patterns = ["docs/**.md", "benchmarks/RESULTS.md", "benchmarks/DEVICE.md", "conformance/README.md"]
exclude_patterns = [".*", "build", "dist"]
nitpicky = True
nitpick_ignore_regex = [("py:class", ".*")]  # types of other libraries, and internal types, have no entry

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # generated pages may skip a heading level

default_role = "code"
autodoc_mock_imports = ["jax", "jaxlib", "optax", "torch", "numpy"]  # signatures and docstrings do not need them
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
# Custom sections are plain text. By default, napoleon treats the text before a colon in "Returns" as a type.
napoleon_custom_sections = ["Differs", "Source", "Warns", "Returns", ("In other libraries", "params_style")]
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
viewcode_line_numbers = True

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_title = "funcsched"
html_favicon = "../funcsched/playground/static/icon.svg"
html_static_path = ["style"]
html_css_files = ["site.css"]
html_search_scorer = "docs/style/scorer.js"
html_copy_source = False
html_show_copyright = False  # it is in the license
pygments_style = "default"
pygments_dark_style = "github-dark"


def _complete(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        (Path(app.outdir) / "index.html").write_text(REDIRECT, encoding="utf-8")
        playground.build(Path(app.outdir))  # without Python; `python -m docs.playground SITE` adds it


def setup(app: Sphinx) -> None:
    app.connect("build-finished", _complete)
