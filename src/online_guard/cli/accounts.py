"""Keys of platforms and people who sign in, kept in a data folder; the service may run meanwhile."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from online_guard.cli.common import AsJson, DataDir, app, opened, print_json
from online_guard.errors import ErrorKind, GuardError
from online_guard.terms import Role

if TYPE_CHECKING:
    from online_guard.service.admitting.platform_keys import NewSecret
    from online_guard.service.house import House

keys_app = typer.Typer(no_args_is_help=True, help="平台密钥 / Keys of platforms.")
users_app = typer.Typer(no_args_is_help=True, help="登录人员 / People who sign in.")
app.add_typer(keys_app, name="keys")
app.add_typer(users_app, name="users")

KeyId = Annotated[str | None, typer.Argument(help="密钥编号 / Id of the key.")]
Platform = Annotated[str | None, typer.Option("--platform", help="平台 / Platform.")]
Name = Annotated[str, typer.Argument(help="用户名 / Name.")]


@keys_app.command("create")
def create_key(
    platform: Annotated[str, typer.Option("--platform", help="平台 / Platform.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """新建密钥,密文只显示一次 / Make a key; its secret is shown this once."""
    from online_guard.service.admitting import platform_keys

    with opened(data_dir) as house:
        _show_secret(platform_keys.create_key(house, platform), as_json)


@keys_app.command("rotate")
def rotate_key(
    key_id: KeyId = None,
    platform: Platform = None,
    overlap_hours: Annotated[
        float, typer.Option("--overlap-hours", min=0, max=2160, help="旧密文仍有效的小时数 / The old one works on.")
    ] = 24,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """更换密文,旧密文在重叠期内仍有效 / A new secret; the one before works on for a while."""
    from online_guard.service.admitting import platform_keys

    with opened(data_dir) as house:
        chosen = _chosen(house, key_id, platform)
        _show_secret(platform_keys.rotate_key(house, chosen, round(overlap_hours * 3600)), as_json)


@keys_app.command("revoke")
def revoke_key(
    key_id: KeyId = None, platform: Platform = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """撤销密钥,一秒内在各进程生效 / End a key for good; every process refuses it within a second."""
    from online_guard.service.admitting import platform_keys

    with opened(data_dir) as house:
        chosen = _chosen(house, key_id, platform)
        platform_keys.revoke_key(house, chosen)
    if as_json:
        print_json({"key_id": chosen, "state": "revoked"})
    else:
        typer.echo(f"已撤销 / revoked: {chosen}")


@keys_app.command("list")
def list_keys(platform: Platform = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """列出密钥 / List the keys, without their secrets."""
    from online_guard.service.admitting import platform_keys

    with opened(data_dir) as house:
        _show_rows(platform_keys.list_keys(house, platform), as_json)


def _chosen(house: House, key_id: str | None, platform: str | None) -> str:
    """Return the key that is meant: by its id, or as the only one of a platform that works."""
    from online_guard.service.admitting import platform_keys

    rows = platform_keys.list_keys(house, platform)
    fitting = [row for row in rows if (key_id or row["key_id"]) == row["key_id"]]
    if key_id is None:
        fitting = [row for row in fitting if row["revoked_ms"] is None and platform is not None]
    if len(fitting) != 1:
        raise GuardError(
            ErrorKind.NOT_FOUND if not fitting else ErrorKind.CONFLICT,
            "key.which",
            "没有这把密钥,或不止一把 / no such key, or several",
            where=key_id or platform or "",
            remedy="请以编号指明,见 keys list / name it by its id, see `keys list`.",
        )
    return str(fitting[0]["key_id"])


def _show_secret(key: NewSecret, as_json: bool) -> None:
    if as_json:
        print_json({"key_id": key.key_id, "platform_id": key.platform_id, "secret": key.secret})
        return
    typer.echo(f"密钥 key: {key.key_id}\n平台 platform: {key.platform_id}\n密文 secret: {key.secret}")
    typer.echo("密文不再显示,请立即妥善保存 / the secret is not shown again: keep it safe now", err=True)


@users_app.command("add")
def add_user(
    name: Name,
    role: Annotated[Role, typer.Option("--role", help="角色 / Role.")],
    oidc_subject: Annotated[
        str | None, typer.Option("--oidc-subject", help="OIDC 标识;此时不设密码 / OIDC subject; then without password.")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """新增用户;密码由终端或标准输入读取 / Add someone; the password is asked for, or read from standard input."""
    from online_guard.service.admitting import accounts

    password = None if oidc_subject is not None else _password()
    with opened(data_dir) as house:
        accounts.add_person(house, name, role, password, oidc_subject)
    _show_done(as_json, "已新增 / added", {"name": name, "role": str(role)})


@users_app.command("password")
def set_password(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """更换密码,其登录全部结束 / A new password, from standard input; all logins of theirs end."""
    from online_guard.service.admitting import accounts

    password = _password()
    with opened(data_dir) as house:
        accounts.set_password(house, name, password)
    _show_done(as_json, "已更换密码 / password changed", {"name": name})


@users_app.command("totp")
def set_totp(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """启用动态码,只显示一次 / Ask for one-time codes from now on; the address for their app is shown this once."""
    from online_guard.service.admitting import accounts

    with opened(data_dir) as house:
        address = accounts.set_totp(house, name)
    _show_done(as_json, "请录入动态码应用 / for the authenticator app", {"name": name, "otpauth": address})


@users_app.command("disable")
def disable_user(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """停用用户,其登录立即结束 / Let someone sign in no more; their logins end at once."""
    from online_guard.service.admitting import accounts

    with opened(data_dir) as house:
        accounts.disable_person(house, name)
    _show_done(as_json, "已停用 / disabled", {"name": name})


@users_app.command("list")
def list_users(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """列出用户 / List everyone."""
    from online_guard.service.admitting import accounts

    with opened(data_dir) as house:
        _show_rows(accounts.list_people(house), as_json)


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("密码 password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _show_done(as_json: bool, done: str, told: dict[str, Any]) -> None:
    if as_json:
        print_json(told)
    else:
        typer.echo(f"{done}: {' '.join(map(str, told.values()))}")


def _show_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    table = Table()
    for name in rows[0] if rows else ():
        table.add_column(name, overflow="fold", no_wrap=name in ("key_id", "name"))
    for row in rows:
        table.add_row(*(_shown(name, value) for name, value in row.items()))
    Console().print(table)


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name.endswith("_ms"):
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return str(value)
