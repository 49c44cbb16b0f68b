"""Characters that the font lacks are named, never printed as boxes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest
import typst
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import ByteStringObject, ContentStream, TextStringObject

from online_guard.assessment.documents import Made, Papers, Person, make
from online_guard.printing.glyphs import FONT, printable

IN_FONT = "㛃䶮昇喆堃龘㐂·𬌗"
"""Rare in names, and there."""


def test_rare_characters_of_names_are_in_the_font_or_named() -> None:
    assert printable(IN_FONT) == (IN_FONT, ())
    assert printable("吴𠮷") == ("吴〓(U+20BB7)", ("𠮷",))


@pytest.mark.parametrize("one", ["\ue863", "\x07", "\u202e", "😀", "\t"])
def test_private_control_and_direction_characters_are_named(one: str) -> None:
    assert printable(f"a{one}b") == (f"a〓(U+{ord(one):04X})b", (one,))


def test_variation_selectors_and_line_ends_need_no_glyph() -> None:
    assert printable("葛\U000e0100\n") == ("葛\U000e0100\n", ())


def test_every_text_of_the_data_is_looked_at_and_the_rest_stays() -> None:
    data = {"a": ["𠮷", {"b": ("x", 1, None, 0.5, True)}]}
    assert printable(data) == ({"a": ["〓(U+20BB7)", {"b": ["x", 1, None, 0.5, True]}]}, ("𠮷",))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_printable_stays_printable(text: str) -> None:
    shown, missing = printable(text)
    assert printable(shown) == (shown, ())
    assert (shown == text) is (missing == ())


@pytest.mark.parametrize("name", ["roster.pdf", "slips.pdf"])
def test_papers_tell_what_the_font_lacks(made: Callable[[str], Made], name: str) -> None:
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(made(name).body)).pages)
    assert made(name).missing == ("𠮷",)
    assert "吴〓(U+20BB7)" in text
    assert "𠮷" not in text
    assert "请手写补全" in text


def glyphs(body: bytes) -> set[int]:
    """Return the numbers of the glyphs that a PDF's pages show; 0 is the box for what a font lacks."""
    found: set[int] = set()
    for page in PdfReader(BytesIO(body)).pages:
        for operands, operator in ContentStream(page.get_contents(), page.pdf).operations:
            if operator in (b"Tj", b"TJ"):
                parts = operands[0] if isinstance(operands[0], list) else operands
                for text in parts:
                    if isinstance(text, TextStringObject | ByteStringObject):  # numbers between them are kerning
                        codes = text.original_bytes
                        found |= {int.from_bytes(codes[place : place + 2]) for place in range(0, len(codes), 2)}
    return found


def test_no_glyph_of_a_paper_is_the_font_s_box(papers: Papers) -> None:
    source = '#set text(font: "Noto Sans SC", fallback: false)\n𠮷'.encode()
    set_plainly = typst.compile(source, font_paths=[FONT.parent], ignore_system_fonts=True)
    assert glyphs(set_plainly) == {0}, "the control: a box is seen"
    everybody = {enrolment: Person(IN_FONT + "𠮷") for enrolment in papers.people}
    shown = glyphs(make(replace(papers, people=everybody), "slips.pdf").body)
    assert len(shown) > 100
    assert 0 not in shown
