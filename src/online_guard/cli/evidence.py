"""The evidence log: verify it, export what proves a session or a class, tell its public key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from online_guard.cli.common import FOUND_SOMETHING, AsJson, DataDir, app, opened, print_json
from online_guard.errors import ErrorKind, GuardError

KnownHead = Annotated[
    list[Path] | None,
    typer.Option(
        "--known-head",
        help="此前留存的日志头(GET /v1/log/head 的答复) / A head kept elsewhere: shows roll-back and split view.",
    ),
]


def read_heads(files: list[Path] | None) -> list[dict[str, Any]]:
    """Return heads that were kept as files.

    Raises:
        GuardError: A file holds no head.
    """
    heads = []
    for file in files or ():
        try:
            head = json.loads(file.read_text("utf-8"))
            json.loads(head["body"])["size"], bytes.fromhex(head["signature"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            words = "不是日志头 / holds no head of the log"
            remedy = "请用 GET /v1/log/head 的答复 / use what GET /v1/log/head answered."
            raise GuardError(ErrorKind.MALFORMED, "log.bad_head", words, where=str(file), remedy=remedy) from error
        heads.append(head)
    return heads


def read_key(text: str) -> bytes:
    """Return a public key: base64, or a file with what `GET /v1/log/key` answered.

    Raises:
        GuardError: It is none.
    """
    from base64 import b64decode

    try:
        told = json.loads(Path(text).read_text("utf-8"))["public_key"] if Path(text).is_file() else text
        public = b64decode(told, validate=True)
    except (OSError, ValueError, LookupError, TypeError):
        public = b""
    if len(public) != 32:
        words = "不是 Ed25519 公钥 / is no Ed25519 public key"
        raise GuardError(ErrorKind.MALFORMED, "log.bad_key", words, where="--key")
    return public


@app.command(name="verify-log")
def verify_log(
    data_dir: DataDir = None,
    key: Annotated[
        str | None, typer.Option(help="日志公钥,默认为本机密钥的 / Public key, by default this machine's.")
    ] = None,
    known_head: KnownHead = None,
    as_json: AsJson = False,
) -> None:
    """验证存证日志,并核对所存数据 / Derive the evidence log anew, and compare what is stored with it."""
    from online_guard.service.operating import evidence_log

    public, heads = None if key is None else read_key(key), read_heads(known_head)
    with opened(data_dir) as house:
        found = evidence_log.verify(house, public, heads)
    if as_json:
        faults = [{"where": fault.where, "reason": fault.reason} for fault in found.faults]
        print_json({"holds": not faults, "entries": found.size, "waiting": found.waiting, "faults": faults})
    else:
        typer.echo(f"条目 entries: {found.size:,}  待排入 waiting: {found.waiting:,}", err=True)
        for fault in found.faults:
            typer.echo(f"{fault.where}: {fault.reason}")
        typer.echo("不成立 / doesn't hold" if found.faults else "成立 / holds")
    raise typer.Exit(FOUND_SOMETHING if found.faults else 0)


@app.command(name="export-evidence")
def export_evidence(
    out: Annotated[Path, typer.Option("--out", help="证据文件 / File to write.")],
    session: Annotated[
        str | None, typer.Option(help="会话,写作 platform_id/session_id / A session, as platform_id/session_id.")
    ] = None,
    class_id: Annotated[str | None, typer.Option("--class", help="培训班次 / A class.")] = None,
    known_head: KnownHead = None,
    data_dir: DataDir = None,
) -> None:
    """导出证据,凭日志公钥即可验证(scripts/verify_evidence.py) / Evidence that the log's public key alone verifies."""
    from online_guard.service.operating import evidence_export

    if (session is None) == (class_id is None):
        words = "须指明会话或班次之一 / give a session or a class"
        raise GuardError(ErrorKind.INVALID, "evidence.which", words, where="--session, --class")
    heads = read_heads(known_head)
    with opened(data_dir) as house:
        if session is not None:
            count = evidence_export.export_session(house, session, out, heads)
        else:
            count = evidence_export.export_class(house, class_id or "", out, heads)
    typer.echo(f"已导出 / exported: {out} ({count:,} 条 entries)")


@app.command(name="log-key")
def log_key(data_dir: DataDir = None) -> None:
    """显示存证日志的公钥 / Show the public key of the evidence log."""
    from online_guard.service.operating import evidence_log

    with opened(data_dir) as house:
        print_json(evidence_log.public_key(house))
