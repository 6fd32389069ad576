"""XML from strangers: elements and attributes only."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

_MAX_BYTES = 64 * 2**20
"""A page of a newspaper with a box a letter has about 10 MB."""
_MAX_DEPTH = 100
_MAX_ELEMENTS = 1_000_000
"""Such a page has about 100,000; a tree of a million takes some 400 MB."""


class XmlError(ValueError):
    """A file that is no XML, or XML that is not read: too large, too deep, or with a document type."""


def parse_xml(path: Path) -> Element:
    """The root element of a file; names without their namespaces, whose versions differ from program to program.

    A document type definition is refused where it begins, before any entity of it exists: nothing is expanded, and
    nothing is fetched (the ways of attack are those that the package defusedxml lists).

    Raises:
        XmlError: see there.
        OSError: the file cannot be read.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise XmlError(f"larger than {_MAX_BYTES // 2**20} MB")
    builder, depth, elements = TreeBuilder(), 0, 0
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, elements
        depth += 1
        elements += 1
        if depth > _MAX_DEPTH:
            raise XmlError(f"elements nested more than {_MAX_DEPTH} deep")
        if elements > _MAX_ELEMENTS:
            raise XmlError(f"more than {_MAX_ELEMENTS:,} elements")
        builder.start(_local(name), {_local(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_local(name))

    def refuse(*_) -> None:
        raise XmlError("it has a document type definition, which is not read; remove the <!DOCTYPE …>")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(path.read_bytes(), True)
    except XmlError:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise XmlError(f"not readable as XML ({error})") from error
    return builder.close()


def _local(name: str) -> str:
    return name.rpartition("}")[2]
