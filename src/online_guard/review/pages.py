"""What every page is made with: who looks at it, in which language, and the templates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from online_guard import terms
from online_guard.api.authentication import COOKIE
from online_guard.api.callers import Caller
from online_guard.api.cases import AUDITORS
from online_guard.review.language import LANGUAGES, Language, texts
from online_guard.service.admitting import logins

ROOT = "/console"
LANGUAGE_COOKIE, THEME_COOKIE = "online_guard_language", "online_guard_theme"
YEAR_S = 365 * 86_400


@dataclass(frozen=True)
class Shell:
    """What surrounds each page.

    Attributes:
        language: Of its texts.
        theme: `light`, `dark`, or empty where the browser decides.
        caller: Who looks at it, None before they sign in.
        csrf: What the page's own requests send along.
        path: Of the page, with its query.
        chosen: The language that this request asked for, to be kept.
    """

    language: Language
    theme: str
    caller: Caller | None
    csrf: str
    path: str
    chosen: str | None = None

    @property
    def decides(self) -> bool:
        """Return whether the person may decide findings."""
        return self.caller is not None and self.caller.role in AUDITORS

    def query_with(self, **changed: str) -> str:
        """Return the query of the page with some of its values changed."""
        pairs = parse_qsl(self.path.partition("?")[2])
        return urlencode([pair for pair in pairs if pair[0] not in changed] + list(changed.items()))


def shell_of(request: Request, chosen: str | None = None) -> Shell:
    """Return what surrounds the page of a request."""
    code = chosen or request.cookies.get(LANGUAGE_COOKIE, "")
    theme = request.cookies.get(THEME_COOKIE, "")
    token = request.cookies.get(COOKIE, "")
    caller: Caller | None = getattr(request.state, "caller", None)
    return Shell(
        language=LANGUAGES.get(code, Language.ZH),
        theme=theme if theme in {"light", "dark"} else "",
        caller=caller,
        csrf=logins.csrf_token(token) if caller else "",
        path=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        chosen=chosen,
    )


async def _shell(
    request: Request, lang: Annotated[str | None, Query(pattern="^(zh|en)$", description="语言 language")] = None
) -> Shell:
    return shell_of(request, lang)


TheShell = Annotated[Shell, Depends(_shell)]


@cache
def _templates(language: Language) -> Environment:
    templates = Environment(
        loader=PackageLoader("online_guard.review"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    templates.install_gettext_translations(texts(language), newstyle=True)  # type: ignore[attr-defined]
    templates.filters["coded"] = _coded
    templates.globals.update(said=language, terms=terms, root=ROOT)
    return templates


def _coded(text: str) -> Markup:
    """Return a text of the manual with what stands between backticks as code."""
    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))


def page(shell: Shell, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page: what a template makes of some values."""
    html = _templates(shell.language).get_template(template).render(shell=shell, **values)
    answer = HTMLResponse(html, status)
    if shell.chosen is not None:
        answer.set_cookie(LANGUAGE_COOKIE, shell.chosen, YEAR_S, path="/", samesite="lax")
    return answer
