"""The format of a foreign log is found by content, and every line is accounted for."""

import gzip
import json
from pathlib import Path

import pytest

from online_guard.errors import GuardError
from online_guard.ingest.foreign_files import open_log
from online_guard.ingest.media import NotPlayback
from online_guard.ingest.refusals import Refusal

XAPI = json.dumps({"verb": {"id": "v"}, "actor": {}}).encode()
CALIPER = json.dumps({"type": "MediaEvent", "eventTime": "t"}).encode()
EDX = json.dumps({"event_type": "play_video"}).encode()


def records(tmp_path: Path, content: bytes) -> tuple[str, list[tuple[int, object]]]:
    path = tmp_path / "log"
    path.write_bytes(content)
    log = open_log(path)
    return log.format.name, list(log.records())


@pytest.mark.parametrize(("record", "name"), [(XAPI, "xAPI"), (CALIPER, "Caliper"), (EDX, "Open edX")])
def test_lines_arrays_objects_and_gzip(tmp_path: Path, record: bytes, name: str) -> None:
    pretty = json.dumps(json.loads(record), indent=2).encode()
    for content, number in (
        (record + b"\n" + record, 2),
        (b"\xef\xbb\xbf" + record + b"\r\n", 1),
        (b"[" + record + b",\n" + record + b"]", 2),
        (b"[\n" + pretty + b"\n]\n", 1),
        (pretty, 1),
        (b"\xef\xbb\xbf" + pretty, 1),
        (gzip.compress(record + b"\n" + record), 2),
    ):
        found, read = records(tmp_path, content)
        assert found == name
        assert [line for line, _ in read] == list(range(1, number + 1))
        assert all(isinstance(raw, bytes) and json.loads(raw) == json.loads(record) for _, raw in read)


@pytest.mark.parametrize("prefix", [b"Jul  1 09:00:00 host lms[1]: INFO - ", b"[2021-07-01 09:00:00] ", b"\t"])
def test_what_a_journal_wrote_before_the_record_is_left_out(tmp_path: Path, prefix: bytes) -> None:
    assert records(tmp_path, prefix + EDX + b"\n" + prefix + EDX) == ("Open edX", [(1, EDX), (2, EDX)])


def test_blank_lines_comments_and_text_are_accounted_for(tmp_path: Path) -> None:
    _, read = records(tmp_path, b"not JSON\n\n# note\n" + XAPI + b"\n")
    assert [type(record) for _, record in read] == [Refusal, NotPlayback, NotPlayback, bytes]


def test_envelopes(tmp_path: Path) -> None:
    envelope = b'{"sensor":"s","sendTime":"t","data":[' + CALIPER + b"," + CALIPER + b"]}"
    answer = b'{"statements":[' + XAPI + b'],"more":""}'
    assert records(tmp_path, envelope)[1] == [(1, CALIPER), (1, CALIPER)]
    assert records(tmp_path, envelope + b"\n" + envelope)[1] == [(1, CALIPER)] * 2 + [(2, CALIPER)] * 2
    assert records(tmp_path, json.dumps(json.loads(envelope), indent=1).encode())[0] == "Caliper"
    assert records(tmp_path, answer) == ("xAPI", [(1, XAPI)])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"a": 1}\n',
        b"hello\n",
        b"\x00\x01",
        b"[1, 2]",
        pytest.param(b"[" * 100_000, id="deep array"),
        pytest.param(b'{"a":' * 100_000, id="deep object"),
    ],
)
def test_other_content_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(GuardError) as caught:
        records(tmp_path, content)
    assert caught.value.code == "ingest.unknown_format"


def test_a_cut_off_gzip_file_and_a_missing_one_are_errors(tmp_path: Path) -> None:
    packed = gzip.compress(b"\n".join([XAPI] * 10_000))
    with pytest.raises(GuardError) as caught:
        records(tmp_path, packed[: len(packed) // 2])
    assert caught.value.code == "bundle.unreadable"
    with pytest.raises(GuardError):
        open_log(tmp_path / "nowhere")
