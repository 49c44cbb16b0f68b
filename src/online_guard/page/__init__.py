"""Self-contained HTML pages: one look for every report, no scripts, nothing from elsewhere; everything is escaped."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

from online_guard.terms import LABELS, bilingual


def render(package: str, template: str, **values: Any) -> str:
    """Return the page that a template makes of some values.

    Args:
        package: Where the template lies, such as `online_guard.demo`.
        template: File name; it puts `css` into its head and may use `bilingual` and `labels`.
        values: What the template names; text is escaped, pictures are marked `| safe` by the template.
    """
    pages = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = pages.from_string(files(package).joinpath(template).read_text(encoding="utf-8"))
    css = files("online_guard.page").joinpath("page.css").read_text(encoding="utf-8")
    return page.render(css=css, bilingual=bilingual, labels=LABELS, **values)
