"""The evidence of a case in one file, to be defended elsewhere: what is told, proofs, and what verifies them."""

from __future__ import annotations

import io
import json
import tempfile
from importlib.resources import files
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from online_guard.service.house import House
from online_guard.service.operating import evidence_log
from online_guard.service.operating.evidence_export import export_class, export_session
from online_guard.service.reviewing.case_file import case_file

READ_ME = """证据包 / Evidence of a case

case.json         案件:疑点、措辞、条款、事实、决定、申诉 / the case as auditors see it
evidence.ndjson   事件与存证日志条目,附证明 / events and entries of the evidence log, with proofs
key.json          存证日志公钥;请与另行取得的公钥核对 / the log's key: compare it with one got by another way
verify_evidence.py

    python verify_evidence.py evidence.ndjson --key key.json

需要 Python 3.11 与 cryptography 包 / needs Python 3.11 and the package `cryptography`.
"""


def package(house: House, case_id: str) -> bytes:
    """Return the evidence of a case as ZIP; of a case that isn't about a session, that of its class.

    It names nobody: learners stand in it by their id.

    Raises:
        GuardError: No such case, or the log is signed by another machine's key.
    """
    case = case_file(house, case_id)
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, ZipFile(content, "w", ZIP_DEFLATED) as archive:
        evidence = Path(folder) / "evidence.ndjson"
        if case["subject"] == "session":
            export_session(house, case["subject_id"], evidence)
        else:
            export_class(house, case["class_id"], evidence)
        archive.writestr("README.txt", READ_ME)
        archive.writestr("case.json", json.dumps(case, ensure_ascii=False, indent=1))
        archive.write(evidence, evidence.name)
        archive.writestr("key.json", json.dumps(evidence_log.public_key(house)))
        verifier = files("online_guard.service").joinpath("verify_evidence.py.txt").read_text(encoding="utf-8")
        archive.writestr("verify_evidence.py", verifier)
    return content.getvalue()
