"""What the site adds to the pages: typeset formulas, links between catalogue and reference, and names to search for."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

import funcsched as fs
from docs.formulas import mathml
from funcsched.cli.names import SECTIONS, names_in, other_names

CATALOGUE, REFERENCES = "docs/catalogue", ("docs/api", "docs/api-bridges")
PLAYGROUND, PLAYGROUND_ADDRESS = "docs/playground", "../playground/index.html"
NAMES = {name for names in SECTIONS.values() for name in names}


def prepare(app: Sphinx, document: nodes.document) -> None:
    page = app.env.current_document.docname
    if page in (CATALOGUE, *REFERENCES):
        typeset(document)
    for image in document.findall(nodes.image):
        image["loading"] = "eager" if page == app.config.root_doc else "lazy"
    if page == CATALOGUE:
        for section in list(document.findall(nodes.section)):
            if (name := section[0].astext()) in NAMES:
                section.insert(3, _links(name, section[2]))
                section.insert(1, _index(section["ids"][0], name))
    if page == PLAYGROUND:
        document[0].insert(1, nodes.paragraph("", "", _link("Open the playground", PLAYGROUND_ADDRESS)))
    if page.startswith("docs/moving/"):
        index_names(document)


def typeset(document: nodes.document) -> None:
    """Replace the formulas of a page by MathML. Text with the class `code` is a name between single backquotes."""
    for literal in list(document.findall(nodes.literal)):
        in_heading = isinstance(literal.parent, nodes.title)
        if "code" not in literal["classes"] and not in_heading and (formula := mathml(literal.astext())):
            html = f'<span class="formula">{formula}</span>'
            literal.parent.replace(literal, nodes.raw("", html, format="html"))


def _index(target: str, name: str) -> addnodes.index:
    """Index entries of a schedule: its name in words, in both orders, and its names in other libraries."""
    first, *rest = name.split("_")
    names = [" ".join([first, *rest]), " ".join([*rest, first])]
    return _entries(
        target, names + [their_name for _, entry in other_names(name).items() for their_name in names_in(entry)]
    )


def _entries(target: str, names: Iterable[str]) -> addnodes.index:
    """Index entries, which the search finds before other text."""
    return addnodes.index("", entries=[("single", name, target, "main", None) for name in dict.fromkeys(names)])


def _links(name: str, expressions: nodes.Node) -> nodes.paragraph:
    """Links of a schedule to the reference and to its curves in the playground."""
    texts = [literal.astext() for literal in expressions.findall(nodes.literal)]
    links: list[nodes.Node] = []
    if not isinstance(getattr(fs, name), fs.Shape):
        options = {"refdomain": "py", "reftype": "func", "reftarget": f"funcsched.{name}", "refexplicit": True}
        links.append(addnodes.pending_xref("", nodes.inline("", "Arguments and types"), **options))
    with suppress(fs.ParseError):  # of a custom function
        for text in texts:
            fs.parse(text)
        query = urlencode([("e", text) for text in texts])
        links.append(_link("Playground", f"{PLAYGROUND_ADDRESS}#{query}"))
    return nodes.paragraph("", "", *links, classes=["links"])


def _link(text: str, address: str) -> nodes.reference:
    return nodes.reference("", "", nodes.inline("", text), refuri=address)


def open_playground(app: Sphinx, document: nodes.document, page: str) -> None:
    """The home page links to the playground itself. Its source links to the page about it, which exists on GitHub."""
    if page == app.config.root_doc:
        for link in document.findall(nodes.reference):
            if link.get("refuri") == "playground.html":
                link["refuri"] = PLAYGROUND_ADDRESS


def index_names(document: nodes.document) -> None:
    """Index the names of another library on its page: those of the catalogue, and the first column of the tables."""
    top = document[document.first_child_matching_class(nodes.section)]
    library = top[0].astext().removeprefix("From ")
    entries = [entry for name in NAMES for other, entry in other_names(name).items() if library.startswith(other)]
    first = (row[0] for table in document.findall(nodes.table) for row in table.findall(nodes.row))
    literals = (literal.astext().partition("(")[0] for cell in first for literal in cell.findall(nodes.literal))
    top.insert(
        1, _entries(top["ids"][0], sorted({name for entry in entries for name in names_in(entry)} | {*literals}))
    )


def name_types(
    app: Sphinx, what: str, name: str, value: object, options: object, arguments: str, result: str
) -> object:
    """The bridges import `funcsched as fs`. The full names of types become links."""
    return tuple(text and text.replace("fs.", "funcsched.") for text in (arguments, result))


def link_to_catalogue(app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]) -> None:
    """Below the docstring of a schedule in the reference: a link to its picture."""
    if (own := name.removeprefix("funcsched.")) in NAMES:
        anchor = own.replace("_", "-")
        lines += ["", f"`Picture and names in other libraries <catalogue.html#{anchor}>`__", ""]


def label_navigation(app: Sphinx, page: str, template: str, context: dict[str, Any], document: object) -> None:
    """Give the captions of the sidebar the level that screen readers require."""
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", prepare)
    app.connect("html-page-context", label_navigation, priority=900)  # after the theme
    app.connect("doctree-resolved", open_playground)
    app.connect("autodoc-process-signature", name_types)
    app.connect("autodoc-process-docstring", link_to_catalogue)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
