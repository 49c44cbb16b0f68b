import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from result_folders import results

from online_guard.compare import read_results
from online_guard.errors import GuardError

ONE = {"session_id": "p/s"}


def code_of(folder: Path) -> tuple[str, str]:
    with pytest.raises(GuardError) as caught:
        read_results(folder)
    return caught.value.code, Path(caught.value.where).name


def test_a_good_folder_is_read(tmp_path: Path) -> None:
    read = read_results(results(tmp_path, sessions=[ONE]))
    assert read.sessions["session_id"].to_pylist() == ["p/s"]


@pytest.mark.parametrize(
    "name", ["findings.parquet", "sessions.parquet", "ledger.parquet", "eligibility.parquet", "summary.json"]
)
def test_a_missing_and_a_damaged_file_are_named(tmp_path: Path, name: str) -> None:
    path = results(tmp_path, sessions=[ONE]) / name
    path.write_bytes(path.read_bytes()[:20])
    assert code_of(tmp_path) == ("results.damaged", name)
    path.unlink()
    assert code_of(tmp_path) == ("results.not_found", name)


def test_other_columns_are_refused(tmp_path: Path) -> None:
    results(tmp_path, sessions=[ONE])
    pq.write_table(pa.table({"session_id": ["p/s"]}), tmp_path / "sessions.parquet")
    assert code_of(tmp_path) == ("results.damaged", "sessions.parquet")


def test_text_in_the_place_of_a_number_is_refused(tmp_path: Path) -> None:
    table = pq.read_table(results(tmp_path, sessions=[ONE]) / "sessions.parquet")
    bad = table.set_column(2, "playing_ms", pa.array(["long"]))
    pq.write_table(bad, tmp_path / "sessions.parquet")
    assert code_of(tmp_path) == ("results.damaged", "sessions.parquet")


def test_a_row_twice_is_refused(tmp_path: Path) -> None:
    assert code_of(results(tmp_path, sessions=[ONE, ONE])) == ("results.damaged", "sessions.parquet")


def test_tables_and_summary_of_different_runs_are_refused(tmp_path: Path) -> None:
    summary = json.loads((results(tmp_path, sessions=[ONE]) / "summary.json").read_text())
    summary["counts"]["sessions"] = 2
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    assert code_of(tmp_path) == ("results.mixed", "sessions.parquet")


def test_text_written_as_a_dictionary_is_the_same_text(tmp_path: Path) -> None:
    table = pq.read_table(results(tmp_path, sessions=[ONE]) / "sessions.parquet")
    pq.write_table(table.set_column(1, "verdict", table["verdict"].dictionary_encode()), tmp_path / "sessions.parquet")
    assert read_results(tmp_path).sessions["verdict"].to_pylist() == ["accepted"]
