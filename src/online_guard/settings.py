"""Settings of the machine, and where its secrets lie; never a threshold (those are policy)."""

from __future__ import annotations

import inspect
import os
import re
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, IPvAnyNetwork, SecretStr, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from online_guard.errors import ErrorKind, Fault, GuardError

PREFIX = "ONLINE_GUARD_"
CONFIG = f"{PREFIX}CONFIG"
DEFAULT_CONFIG = Path("online-guard.toml")
_FILE = "_file"
"""A setting may be given as the name of a file that holds it: a secret then stands in no environment."""
_NO_SETTINGS = {CONFIG, f"{PREFIX}SHARED"}
"""Names that begin like settings and are none: the file of settings, and the folder that tests compare with."""


class LogFormat(StrEnum):
    """How logs are written."""

    JSON = "json"
    CONSOLE = "console"


class Settings(BaseSettings):
    """What differs from machine to machine; an argument goes before the environment, that before the file.

    Attributes:
        data_dir: 数据库、封存图片与主密钥所在文件夹 / Folder of the database, the sealed pictures and the master key.
        database_url: SQLAlchemy 地址,默认 `data_dir` 中的 SQLite / SQLAlchemy URL; by default SQLite in `data_dir`.
        policy: 政策包名称或路径 / Name of a shipped policy pack, or the path of one.
        master_key_file: 封存个人数据的密钥,首次启动时生成,仅属主可读 / Key that seals personal data; made on the first
            start, readable by its owner only.
        log_key_file: 存证日志的签名密钥,首次启动时生成;共用数据库的机器须共用 / Key that signs the evidence log, made
            on the first start; machines that share a database share it.
        webhook_networks: 事件推送可以发往的内网网段 / Networks outside the public Internet that webhooks may go to,
            such as `["10.1.0.0/16"]`.
        host: 监听地址 / Address to listen on.
        plain_http: 监听本机之外;仅当前面有终结 TLS 的代理,否则姓名与照片以明文传输 / Whether to listen beyond
            loopback; only where a proxy in front ends TLS, for names and pictures would travel in the clear.
        public_url: 浏览器所见地址,默认取自请求 / Address that browsers see, such as `https://guard.example`; that of
            the request by default.
        requests_per_key: 每个密钥在每个进程的请求上限 / How many requests a platform's key may make in each process,
            such as `300000/minute`.
        logins_per_address: 每个地址在每个进程的登录尝试上限 / How many logins an address may try in each process.
        oidc_issuer: 可供登录的 OpenID 提供方 / OpenID provider that people may sign in with; its client id and secret
            are the next two.
        oidc_client_id: 本服务在提供方的标识 / Of this service at the provider.
        oidc_client_secret: 本服务在提供方的密钥 / Secret of this service at the provider.
        distances_calibrated: 人脸距离已由 `faces calibrate` 在本地人群上校准;否则审核页面提示未校准 / Whether the
            distances between faces were calibrated on the people here; without it the auditors' pages say they weren't.
        port: 端口 / Port to listen on.
        presented_attack_manifest: 运营方自己的活体检测模型清单 / Manifest of an operator's own anti-spoofing models.
        test_client_token: 允许受信任的测试客户端设定时钟,默认关闭 / Lets a trusted test client set the service clock;
            off by default.
        metrics_token: 从别的机器读取 `/metrics` 的令牌;无令牌时仅限本机 / Bearer token that reads `/metrics` from
            another machine; without one, loopback only.
        log_format: 日志格式:`json` 或 `console` / Logs as `json` or for a `console`.
        log_level: 日志级别 / Least level of what is logged.
        least_free_mib: 数据盘剩余空间低于此(MiB)即为未就绪 / With less free disk (MiB) the service isn't ready.
        drain_s: 停止前仍接收请求、同时报告未就绪的秒数 / Before it stops, it goes on answering for so long (s) and says
            that it isn't ready.
        pictures_dir: 封存图片所在文件夹,默认在 `data_dir` 内;多台机器须共用 / Folder of the sealed pictures, in
            `data_dir` by default; all hosts share it.
        events_dir: 已移出数据库的往月事件所在文件夹,默认在 `data_dir` 内;多台机器须共用 / Folder of events of past
            months that left the database, in `data_dir` by default; all hosts share it.
        imports_dir: 正在接收与导入的日志所在文件夹,默认在 `data_dir` 内;多台机器须共用 / Folder of logs that are being
            received and imported, in `data_dir` by default; all hosts share it.
        job_lease_s: 工作进程失联后,其任务多少秒后由他人接手 / A lost worker's job is taken by another after so many
            seconds.
        in_process_worker: 服务进程内是否也执行任务 / Whether the service does jobs beside answering.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", hide_input_in_errors=True)

    data_dir: Path = Path("var")
    database_url: Annotated[str | None, Field(repr=False)] = None
    policy: str = "huangchuan-2021"
    pictures_dir: Path | None = None
    events_dir: Path | None = None
    imports_dir: Path | None = None
    job_lease_s: int = Field(60, ge=1, le=86_400)
    in_process_worker: bool = True
    master_key_file: Path | None = None
    log_key_file: Path | None = None
    webhook_networks: tuple[IPvAnyNetwork, ...] = ()
    host: str = "127.0.0.1"
    plain_http: bool = False
    distances_calibrated: bool = False
    public_url: str | None = None
    requests_per_key: str = "300000/minute"
    logins_per_address: str = "30/minute"
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    presented_attack_manifest: Path | None = None
    test_client_token: SecretStr | None = None
    metrics_token: SecretStr | None = None
    log_format: LogFormat = LogFormat.JSON
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    least_free_mib: Annotated[int, Field(ge=0)] = 512
    drain_s: Annotated[float, Field(ge=0, le=300)] = 0.5

    def __init__(self, **given: Any) -> None:
        """Read the settings.

        Args:
            given: Settings that go before those of environment and file.

        Raises:
            GuardError: `settings.…`: a file that isn't there or no TOML, an unknown key, an impossible value.
        """
        try:
            super().__init__(**given)
        except ValidationError as error:  # its own text may hold a secret
            raise _refusal([(str(one["loc"][0]), str(one["msg"])) for one in error.errors()], given) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is Pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where settings come from, the first that has one wins."""
        secrets = {name.lower()[len(PREFIX) :]: value for name, value in os.environ.items() if _is_ours(name)}
        held = _read_named(secrets, "")
        return (
            init_settings,
            env_settings,
            InitSettingsSource(settings_cls, held),
            InitSettingsSource(settings_cls, _of_file()),
        )

    @property
    def database(self) -> str:
        """Return the URL of the database."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'online-guard.sqlite3'}"

    @property
    def pictures(self) -> Path:
        """Return the folder of the sealed pictures."""
        return self.pictures_dir or self.data_dir / "pictures"

    @property
    def events(self) -> Path:
        """Return the folder of the events of past months."""
        return self.events_dir or self.data_dir / "events"

    @property
    def imports(self) -> Path:
        """Return the folder of logs that are being imported."""
        return self.imports_dir or self.data_dir / "imports"

    @property
    def key_file(self) -> Path:
        """Return the path of the master key."""
        return self.master_key_file or self.data_dir / "master.key"

    @property
    def signing_key_file(self) -> Path:
        """Return the path of the evidence log's key."""
        return self.log_key_file or self.data_dir / "log.key"

    @property
    def memory_file(self) -> Path:
        """Return the path of what the rollback alarm remembers, beside the key and in no backup."""
        return self.key_file.with_name("database-marks.json")

    def shown(self) -> dict[str, str]:
        """Return the settings as text that may be printed: no secret is in it."""
        values = {name: "" if value is None else str(value) for name, value in self}
        return values | {"database_url": _without_password(self.database)}


def unknown_variables() -> list[str]:
    """Return the names in the environment that begin like settings and are none, such as mistyped ones."""
    fields = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    known = fields | {f"{name}{_FILE.upper()}" for name in fields} | _NO_SETTINGS
    return sorted(name for name in os.environ if _is_ours(name) and name.upper() not in known)


def described() -> list[tuple[str, str, str]]:
    """Return for each setting its name, its default, and what it means, as the class says it."""
    section = (inspect.getdoc(Settings) or "").partition("Attributes:")[2]  # Python 3.13 strips the indentation itself
    texts = dict(re.findall(r"^ {4}(\w+): ((?:.|\n {8})+)", section, re.MULTILINE))
    return [
        (name, "" if field.default is None else str(field.default), " ".join(texts.get(name, "").split()))
        for name, field in Settings.model_fields.items()
    ]


def _is_ours(variable: str) -> bool:
    return variable.upper().startswith(PREFIX)


def _config() -> Path | None:
    named = os.environ.get(CONFIG)
    if named is None:
        return DEFAULT_CONFIG.absolute() if DEFAULT_CONFIG.is_file() else None
    if not Path(named).is_file():
        raise GuardError(
            ErrorKind.INVALID, "settings.no_file", "没有这个设置文件 / there is no such file", where=f"{CONFIG}={named}"
        )
    return Path(named).absolute()


def _of_file() -> dict[str, Any]:
    """Return the settings that stand in the file, or are in files that it names."""
    path = _config()
    if path is None:
        return {}
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise GuardError(
            ErrorKind.MALFORMED, "settings.no_toml", f"不是 TOML / not TOML: {error}", where=str(path)
        ) from None
    held = _read_named(told, f"{path}: ")
    values = {name: value for name, value in told.items() if _meant(name) is None} | held
    unknown = sorted(values.keys() - Settings.model_fields.keys())
    if unknown:
        raise GuardError(
            ErrorKind.INVALID,
            "settings.unknown_key",
            "没有这项设置 / there is no such setting",
            where=f"{path}: {unknown[0]}",
            remedy="见 docs/settings.md / see docs/settings.md.",
            faults=tuple(Fault(f"{path}: {name}", "未知设置 / unknown setting") for name in unknown),
        )
    return values


def _meant(name: str) -> str | None:
    """Return which setting a key `…_file` gives; None when the key is a setting itself, or no key of that kind."""
    fields = Settings.model_fields
    setting = name.removesuffix(_FILE)
    return setting if name not in fields and name != setting and setting in fields else None


def _read_named(told: dict[str, Any], source: str) -> dict[str, Any]:
    held = {}
    for name, value in told.items():
        setting = _meant(name)
        if setting is not None:
            try:
                held[setting] = Path(str(value)).read_text("utf-8").strip()
            except (OSError, ValueError) as error:
                where = f"{source}{name}" if source else f"{PREFIX}{name.upper()}"
                raise GuardError(
                    ErrorKind.INVALID,
                    "settings.no_file",
                    f"无法读取该文件 / the file can't be read: {type(error).__name__}",
                    where=f"{where} = {value}",
                ) from None
    return held


def _refusal(faults: list[tuple[str, str]], given: dict[str, Any]) -> GuardError:
    found = tuple(Fault(_source(name, given), reason) for name, reason in faults)
    return GuardError(
        ErrorKind.INVALID,
        "settings.invalid",
        f"设置有误 / a setting is wrong: {found[0].reason}",
        where=found[0].where,
        remedy="见 docs/settings.md / see docs/settings.md.",
        faults=found,
    )


def _source(name: str, given: dict[str, Any]) -> str:
    if name in given:
        return name
    for variable in (f"{PREFIX}{name.upper()}", f"{PREFIX}{name.upper()}{_FILE.upper()}"):
        if variable in (one.upper() for one in os.environ):
            return variable
    return f"{_config()}: {name}"


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{parts.netloc.rpartition('@')[2]}"))
