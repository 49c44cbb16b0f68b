"""No text is missing in English, and moments, numbers and halves of texts are written as each language writes them."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import online_guard.review
from online_guard.api.problems import TITLES
from online_guard.review.language import Language, texts
from online_guard.review.reasons import NOTE, REASONS, read
from online_guard.terms import Outcome

HERE = Path(online_guard.review.__file__).parent
ZH, EN = Language.ZH, Language.EN
OPTIONS = {"extensions": "jinja2.ext.i18n", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}


def test_the_catalogue_has_exactly_the_texts_of_the_templates() -> None:
    found = extract_from_dir(HERE / "templates", [("**.html", "jinja2")], {"**.html": OPTIONS})
    asked = {str(message) for _, _, message, *_ in found}
    catalogues = [read_po(BytesIO(file.read_bytes()), locale="en") for file in (HERE / "locale").glob("*.po")]
    known = {str(message.id): message for catalogue in catalogues for message in catalogue if message.id}
    assert asked == known.keys()
    for text, message in known.items():
        assert re.search("[\u3400-\u9fff]", text), text
        assert message.string, text
        assert not message.fuzzy, text
        assert not re.search("[\u3400-\u9fff]", str(message.string)), text
        assert re.findall(r"%\(\w+\)s", text) == re.findall(r"%\(\w+\)s", str(message.string)), text
    assert texts(EN).gettext("案件队列") == "Queue of cases"
    assert texts(ZH).gettext("案件队列") == "案件队列"


def test_templates_hold_no_text_beside_the_catalogue() -> None:
    for template in (HERE / "templates").glob("*.html"):
        bare = re.sub(r"\{[{%].*?[%}]\}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert re.findall("[\u3400-\u9fff]+", bare) == [], template.name


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("找不到 / not found", "找不到", "not found"),
        ("案件已变化 / it changed 请重新查看 / look again.", "案件已变化 请重新查看", "it changed look again."),
        ("甲 已领取 / 甲 has it", "甲 已领取 甲 has it", ""),
        ("plain", "plain", "plain"),
    ],
)
def test_each_language_takes_its_halves(text: str, zh: str, en: str) -> None:
    assert ZH.halves(text) == zh
    assert EN.halves(text) == (en or text)


def test_titles_of_problems_speak_one_language() -> None:
    for title in TITLES.values():
        assert not re.search("[a-z]", ZH.half(title)), title
        assert not re.search("[\u3400-\u9fff]", EN.half(title)), title


def test_moments_are_chinas_and_numbers_are_local() -> None:
    at_ms = 1_628_611_200_000
    assert (ZH.second(at_ms), EN.second(at_ms)) == ("2021年8月11日 00:00:00", "11 Aug 2021 00:00:00")
    assert (ZH.moment(None), EN.number(12345.678, 2), EN.share(0.125)) == ("–", "12,345.68", "12.5%")
    assert [ZH.duration(seconds) for seconds in (59.6, 3599, 3600)] == ["1:00", "59:59", "1:00:00"]
    assert (ZH.label("passed", Outcome), EN.label("unheard", Outcome)) == ("通过", "unheard")
    assert ZH.measured([1, None, True, "x"]) == "1、–、是、x"


def test_reasons_are_kept_in_both_languages_and_read_in_one() -> None:
    for pairs in REASONS.values():
        assert len(pairs) == 9, "one for each digit"
        for zh, en in pairs:
            said = f"{zh} / {en}{NOTE}第 3 分钟"
            assert (read(said, ZH), read(said, EN)) == (f"{zh} — 第 3 分钟", f"{en} — 第 3 分钟")
    assert read("写于别处", EN) == "写于别处"
