import re
from xml.etree import ElementTree as ET

from online_guard.compare.picture import LEAST_PX, MOST_CLASSES, draw_flow, draw_hours

FLOW = [
    {"old": "accepted", "new": "accepted", "sessions": 319_999},
    {"old": "accepted", "new": "rejected", "sessions": 1},
]


def test_one_session_among_many_is_seen_and_drawn_over_what_stays() -> None:
    picture = draw_flow(FLOW)
    ribbons = re.findall(r'class="ribbon ([\w-]+)" d="[^"]*?v([\d.]+)C', picture)
    assert [name for name, _ in ribbons] == ["stays", "to-rejected"]
    assert float(ribbons[1][1]) == LEAST_PX
    assert "319,999" in picture


def test_bars_are_in_proportion_on_their_side() -> None:
    root = ET.fromstring(draw_hours([{"class_id": "<c&", "gained": 10.0, "lost": 40.0}]))
    lost, gained = (bar.attrib for bar in root if bar.tag == "rect")
    assert (lost["class"], gained["class"]) == ("lost", "gained")
    assert abs(float(lost["width"]) - 4 * float(gained["width"])) < 0.5
    assert abs(float(lost["x"]) + float(lost["width"]) - float(gained["x"])) < 0.2
    assert "<c&" in [text.text for text in root if text.tag == "text"]


def test_classes_beyond_the_greatest_are_summed_up() -> None:
    rows = [
        {"class_id": f"c{number:02}", "gained": 0.0, "lost": float(number)} for number in range(1, MOST_CLASSES + 3)
    ]
    picture = draw_hours(rows)
    assert picture.count('class="lost"') == MOST_CLASSES
    assert "其余 2 班 others: −3 +0" in picture
    assert "c01" not in picture
    assert "others" not in draw_hours(rows[2:])


def test_narrow_pictures_keep_within_their_width() -> None:
    for picture in (draw_flow(FLOW, 400), draw_hours([{"class_id": "c" * 100, "gained": 1.0, "lost": 1.0}], 400)):
        for bar in (node for node in ET.fromstring(picture) if node.tag == "rect"):
            assert 0 <= float(bar.attrib["x"]) <= 400 - float(bar.attrib["width"])
