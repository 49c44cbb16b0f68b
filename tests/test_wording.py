import pytest

from online_guard.rules.catalogue import BY_ID
from online_guard.wording import SAID, failed_test_in_words, in_words

EVIDENCE = {
    "value": 0.5, "limit": 0.25, "count": 3, "conflicts": 2, "missing": 1, "regular_share": 0.9, "passed": 1,
    "lesson_no": 1, "greatest": 0.8,
}  # fmt: skip


@pytest.mark.parametrize("rule", BY_ID)
def test_every_rule_has_words_in_both_languages(rule: str) -> None:
    zh, en = in_words(rule, EVIDENCE)
    assert "{" not in zh + en
    assert "value =" not in zh
    assert zh != en


def test_the_measured_value_and_the_limit_are_said() -> None:
    zh, en = in_words("OG101", {"value": 1176.04, "limit": 2.0, "count": 1})
    assert "1176" in zh
    assert "1176" in en
    assert "2 s" in en


def test_unforeseen_evidence_is_shown_plainly() -> None:
    assert in_words("OG101", {"odd": 1}) == ("odd = 1", "odd = 1")
    assert in_words("OG999", {"value": 1})[0] == "value = 1"
    assert "OG999" not in SAID


def test_a_failed_test_says_what_it_asks_and_what_was_measured() -> None:
    zh, en = failed_test_in_words("E03", {"value": 1.0, "limit": 3.0})
    assert zh.endswith("（1 / 3）")
    assert en.endswith("(1 / 3)")
    assert failed_test_in_words("E06", {"waiting": ["a", "b"]})[0].endswith("（2 项）")
    assert failed_test_in_words("E02", {})[0] == "由企业申请考核"
