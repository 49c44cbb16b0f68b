"""The two languages of the pages: texts by catalogue, and moments, numbers and words as each writes them."""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from io import BytesIO

from babel.dates import format_date, format_datetime, get_timezone
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from online_guard.terms import LABELS, Role

CHINA = get_timezone("Asia/Shanghai")


class Language(StrEnum):
    """A language of the pages, by its code in HTML; the first is the one of the source texts."""

    ZH = "zh-Hans"
    EN = "en"

    @property
    def locale(self) -> str:
        """Return the name of its conventions."""
        return "zh_Hans_CN" if self is Language.ZH else "en_GB"

    def pick(self, zh: str, en: str) -> str:
        """Return the text of this language."""
        return zh if self is Language.ZH else en

    def half(self, text: str) -> str:
        """Return this language's half of a text that says it twice, `中文 / English`; another text as it is."""
        zh, slash, en = text.partition(" / ")
        return self.pick(zh, en) if slash else text

    def halves(self, text: str) -> str:
        """Return this language's halves of sentences that stand one after the other, each as `half` takes it.

        The Chinese half of the next sentence follows the English one of the sentence before after a space.
        """
        parts = text.split(" / ")
        said = [parts[0]] if self is Language.ZH else []
        for part in parts[1:]:
            cut = next((n for n, sign in enumerate(part) if "\u3400" <= sign <= "\u9fff"), len(part))
            said.append(part[:cut].strip() if self is Language.EN else part[cut:].strip())
        return " ".join(filter(None, said)) or text

    def label(self, word: str, kind: type[StrEnum]) -> str:
        """Return what people call a word of the field, else the word itself."""
        try:
            return self.pick(*LABELS[kind(word)])
        except (KeyError, ValueError):
            return word

    def role(self, role: str) -> str:
        """Return what people call a role."""
        return self.label(role, Role)

    def measured(self, value: object) -> str:
        """Return a value of evidence: numbers as this language writes them, lists with commas, others as they are."""
        match value:
            case bool():
                return self.pick("是", "yes") if value else self.pick("否", "no")
            case int() | float():
                return self.number(value, 3)
            case list():
                return self.pick("、", ", ").join(map(self.measured, value))
            case None:
                return "–"
        return str(value)

    def unit(self, unit: str) -> str:
        """Return a unit of the policy pack as it is written."""
        return self.pick(UNITS.get(unit, unit), unit.replace("_", " "))

    def moment(self, at_ms: int | None) -> str:
        """Return a moment in China, to the minute; a dash for none."""
        return "–" if at_ms is None else format_datetime(_at(at_ms), self._pattern("HH:mm"), CHINA, self.locale)

    def second(self, at_ms: int | None) -> str:
        """Return a moment in China, to the second; a dash for none."""
        return "–" if at_ms is None else format_datetime(_at(at_ms), self._pattern("HH:mm:ss"), CHINA, self.locale)

    def clock(self, at_ms: int) -> str:
        """Return the time of day in China, to the second."""
        return format_datetime(_at(at_ms), "HH:mm:ss", CHINA, self.locale)

    def _pattern(self, clock: str) -> str:
        return f"{self.pick('y年M月d日', 'd MMM y')} {clock}"

    def day(self, day: str) -> str:
        """Return a civil date of the form `YYYY-MM-DD`."""
        return format_date(date.fromisoformat(day), self.pick("y年M月d日", "d MMM y"), self.locale)

    def number(self, value: float, digits: int = 1) -> str:
        """Return a number with at most some digits after the point."""
        return format_decimal(value, f"#,##0.{'#' * digits}", self.locale)

    def share(self, value: float) -> str:
        """Return a share in per cent."""
        return format_percent(value, "#,##0.#%", self.locale)

    def duration(self, seconds: float) -> str:
        """Return a duration as hours, minutes and seconds."""
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _at(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


UNITS: Mapping[str, str] = {
    "s": "秒",
    "ms": "毫秒",
    "x": "倍",
    "share": "(比例)",
    "distance": "(距离)",
    "class_hours": "课时",
    "days": "天",
    "months": "个月",
    "month": "月",
    "count": "个",
    "bits": "位",
    "residual": "(残差)",
    "no": "(序号)",
}
"""Units of the policy pack in Chinese."""
LANGUAGES: Mapping[str, Language] = {"zh": Language.ZH, "en": Language.EN}
"""By the code of addresses and the cookie."""


@cache
def texts(language: Language) -> gettext.NullTranslations:
    """Return the texts of the pages: they are written in Chinese, the catalogues say them in English.

    The catalogue is compiled in memory, so that no file can be older than what it was made of.
    """
    if language is Language.ZH:
        return gettext.NullTranslations()
    catalogue = Catalog(locale="en")
    for source in files("online_guard.review").joinpath("locale").iterdir():
        for message in read_po(BytesIO(source.read_bytes()), locale="en"):
            catalogue[message.id] = message
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
