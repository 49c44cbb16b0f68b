"""What the catalogue of occupations answers."""

from __future__ import annotations

import pytest

from online_guard.policy import Policy, VocationalCertificate
from online_guard.policy.sections import Occupation, Occupations
from online_guard.terms import Mode


@pytest.mark.parametrize(
    ("occupation", "online", "blended"),
    [
        ("电子商务师", True, True),
        ("社会工作者", True, False),
        ("跨境电子商务师", True, False),  # covered in row 1 only
        ("焊工", False, False),
        ("", False, False),
        ("收银", False, False),
    ],
)
def test_mode_decides_the_row(shipped: Policy, occupation: str, online: bool, blended: bool) -> None:
    assert shipped.occupations.may_run(occupation, Mode.ONLINE) is online
    assert shipped.occupations.may_run(occupation, Mode.BLENDED) is blended


def test_certificate_of_names_covered_and_unknown() -> None:
    entry = Occupation("电子商务师", VocationalCertificate.YES, ("跨境电子商务师",))
    catalogue = Occupations((entry, Occupation("导购员", VocationalCertificate.NO)), ())
    names = ("电子商务师", "跨境电子商务师", "导购员", "焊工")
    assert [catalogue.vocational_certificate(name) for name in names] == ["yes", "yes", "no", "unknown"]


def test_repeated_names_are_found_once_per_repetition() -> None:
    unknown = VocationalCertificate.UNKNOWN
    catalogue = Occupations((Occupation("A", unknown, ("B",)), Occupation("B", unknown, ("A", "C"))), ())
    assert list(catalogue.repeated()) == ["B", "A"]
