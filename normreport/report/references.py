"""Cite references in the text, and write them as BibTeX.

A reference is a mapping with the keys of CSL-JSON (type, author, title, container-title, DOI ...),
but ``issued`` is the year.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from normreport.text.formatting import join_with_and
from normreport.text.language import gettext

Reference = Mapping[str, Any]

# BibTeX's names of CSL's types and fields.
_ENTRIES = {"article-journal": "article", "paper-conference": "inproceedings", "book": "book"}
_FIELDS = {
    "issued": "year",
    "volume": "volume",
    "page": "pages",
    "publisher": "publisher",
    "version": "version",
    "DOI": "doi",
    "URL": "url",
}
_VERBATIM = ("DOI", "URL")
_LATEX = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)


def short(reference: Reference) -> str:
    """Write author and year as a citation: "Kingma and Ba 2014", "He et al. 2015"."""
    names = [author.get("family", "") for author in reference["author"]]
    who = gettext("%(author)s et al.", author=names[0]) if len(names) > 2 else join_with_and(names)
    return f"{who} {reference['issued']}"


def link(reference: Reference) -> str:
    """Link to the reference: by its DOI, or by its URL if it has none."""
    return f"https://doi.org/{reference['DOI']}" if "DOI" in reference else str(reference["URL"])


def bibtex(reference: Reference) -> str:
    """Write one BibTeX entry.

    Parameters
    ----------
    reference
        At least ``id``, ``type``, ``title`` and ``author``; an author has ``family`` and
        ``given``, or one ``literal`` name.

    Returns
    -------
    str
        The entry without a final newline, with LaTeX's special characters escaped.
    """
    kind = _ENTRIES.get(reference["type"], "misc")
    fields = {}
    if reference["author"]:
        fields["author"] = " and ".join(map(_bibtex_name, reference["author"]))
    # The inner braces keep BibTeX from lowercasing names.
    fields["title"] = "{" + _escaped(reference["title"]) + "}"
    if "container-title" in reference:
        where = "journal" if kind == "article" else "booktitle"
        fields[where] = _escaped(reference["container-title"])
    for name, field in _FIELDS.items():
        if name in reference:
            value = str(reference[name])
            fields[field] = value if name in _VERBATIM else _escaped(value)
    fields |= {"pages": fields["pages"].replace("-", "--")} if "pages" in fields else {}
    lines = [f"  {field} = {{{value}}}," for field, value in fields.items()]
    return "\n".join([f"@{kind}{{{reference['id']},", *lines, "}"])


def _bibtex_name(author: Mapping[str, str]) -> str:
    if "literal" in author:
        return _escaped(author["literal"])
    return _escaped(f"{author['family']}, {author['given']}")


def _escaped(text: str) -> str:
    return text.translate(_LATEX)
