"""The templates of the web pages."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, Template


def template(name: str) -> Template:
    """A template of the folder ``templates``; what it is given is text, never markup."""
    return Environment(loader=PackageLoader(__package__), autoescape=True, trim_blocks=True).get_template(name)
