"""Sign-in sheets and results at the command line: templates, dry runs, row-by-row reports, exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from online_guard.api.bodies import ClassBody
from online_guard.cli import app
from online_guard.demo.people import identity_number
from online_guard.errors import GuardError
from online_guard.service import registration
from online_guard.service.house import open_house
from online_guard.settings import Settings
from online_guard.simulate.course import Course

COURSE = Course()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data of a service with a learner."""
    data = tmp_path_factory.mktemp("service")
    house = open_house(Settings(data_dir=data))
    body = ClassBody.model_validate(COURSE.class_row())
    registration.put_class(house, body.typed(COURSE.class_id, COURSE.platform_id))
    registration.put_enrolment(
        house,
        COURSE.class_id,
        "li",
        None,
        name="李",
        identity_number=identity_number(1),
        applicant=None,
        face_checks="required",
        leave=(),
    )
    house.engine.dispose()
    return data


def run(folder: Path, *arguments: str) -> Result:
    """Return what a command said about a data folder."""
    return CliRunner().invoke(app, [*arguments, "--data-dir", str(folder)])


def sheet(folder: Path, text: str) -> str:
    """Return the name of a file with some text."""
    file = folder / "sheet.csv"
    file.write_text(text, encoding="utf-8-sig")
    return str(file)


def test_practice_is_imported_and_each_bad_row_told(folder: Path) -> None:
    good = "身份证号,日期,学时,录像分钟\n" + f"{identity_number(1)},2021-07-01,8,10\n"
    file = sheet(folder, good + "x,2021-07-02,8,\n")
    tried = run(folder, "practice", "import", COURSE.class_id, file, "--dry-run")
    done = run(folder, "practice", "import", COURSE.class_id, file)
    for told in (tried, done):
        assert told.exit_code == 1, "a row was refused"
        assert "sheet.csv A3: refused" in told.output
        assert "每学时连续录像不足15分钟" in told.output
        assert "accepted 1" in told.output
    again = run(folder, "practice", "import", COURSE.class_id, sheet(folder, good), "--json")
    assert (again.exit_code, json.loads(again.output)["counts"]["duplicate"]) == (0, 1)
    listed = json.loads(run(folder, "practice", "list", COURSE.class_id, "--json").output)
    assert [row["enrolment_id"] for row in listed["practice"]] == ["li"]
    assert "short_video" in run(folder, "practice", "list", COURSE.class_id).output


def test_results_are_imported_and_listed_with_the_figures_of_annex_2(folder: Path) -> None:
    rows = "报名号,考核日期,是否合格,证书编号\nli,2021-08-14,是,JN-1\n"
    assert run(folder, "results", "import", "2021-08", sheet(folder, rows)).exit_code == 0
    refused = run(folder, "results", "import", "2021-08", sheet(folder, rows.replace("14", "15")))
    assert refused.exit_code == 1
    assert "要更正,请在“更正版次”写 1" in refused.output
    listed = run(folder, "results", "list", "2021-08")
    assert "职业技能等级评定 skill level: 参加 1,取证 1" in listed.output
    assert "取证总人数 certified: 1" in listed.output
    assert json.loads(run(folder, "results", "list", "2021-08", "--json").output)["certified"] == 1


def test_templates_are_written_and_bad_use_is_told(folder: Path) -> None:
    for group in ("practice", "results"):
        out = folder / f"{group}.xlsx"
        assert CliRunner().invoke(app, [group, "template", str(out)]).exit_code == 0
        assert out.read_bytes().startswith(b"PK")
        result = CliRunner().invoke(app, [group, "template", str(folder / "none" / "x.xlsx")])
        assert isinstance(result.exception, GuardError)
    for arguments in (("results", "list", "2021-13"), ("practice", "import", COURSE.class_id, "no such file")):
        assert isinstance(run(folder, *arguments).exception, GuardError)
