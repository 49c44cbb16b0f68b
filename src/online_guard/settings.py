"""Settings of the machine, and where its secrets lie; never a threshold (those are policy)."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, IPvAnyNetwork, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What differs from machine to machine, read from `ONLINE_GUARD_…` in the environment.

    Attributes:
        data_dir: Folder of the database, the sealed pictures and the master key.
        database_url: SQLAlchemy URL; by default SQLite in `data_dir`.
        policy: Name of a shipped policy pack, or the path of one.
        pictures_dir: 封存图片所在文件夹,默认在 `data_dir` 内;多台机器须共用 / Folder of the sealed pictures, in
            `data_dir` by default; all hosts share it.
        job_lease_s: 工作进程失联后,其任务多少秒后由他人接手 / A lost worker's job is taken by another after so many
            seconds.
        in_process_worker: 服务进程内是否也执行任务 / Whether the service does jobs beside answering.
        master_key_file: Key that seals personal data; made on the first start, readable by its owner only.
        log_key_file: Key that signs the evidence log; made on the first start. All machines of one database share it.
        host: Address to listen on.
        plain_http: Whether to listen beyond loopback; only where a proxy in front ends TLS, for names and pictures
            would travel in the clear.
        public_url: Address that browsers see, such as `https://guard.example`; that of the request by default.
        requests_per_key: How many requests a platform's key may make in each process, such as `300000/minute`.
        logins_per_address: How many logins an address may try in each process.
        oidc_issuer: OpenID provider that people may sign in with; its client id and secret are the next two.
        oidc_client_id: Of this service at the provider.
        oidc_client_secret: Of this service at the provider.
        port: Port to listen on.
        presented_attack_manifest: Manifest of an operator's own anti-spoofing models, if there are any.
        webhook_networks: Networks outside the public Internet that webhooks may go to, such as `["10.1.0.0/16"]`.
        test_client_token: Lets a trusted test client set the service clock; off by default.
    """

    model_config = SettingsConfigDict(env_prefix="ONLINE_GUARD_", extra="ignore")

    data_dir: Path = Path("var")
    database_url: str | None = None
    policy: str = "huangchuan-2021"
    pictures_dir: Path | None = None
    job_lease_s: int = Field(60, ge=1, le=86_400)
    in_process_worker: bool = True
    master_key_file: Path | None = None
    log_key_file: Path | None = None
    host: str = "127.0.0.1"
    plain_http: bool = False
    public_url: str | None = None
    requests_per_key: str = "300000/minute"
    logins_per_address: str = "30/minute"
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    port: int = 8080
    presented_attack_manifest: Path | None = None
    webhook_networks: tuple[IPvAnyNetwork, ...] = ()
    test_client_token: SecretStr | None = None

    @property
    def database(self) -> str:
        """Return the URL of the database."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'online-guard.sqlite3'}"

    @property
    def pictures(self) -> Path:
        """Return the folder of the sealed pictures."""
        return self.pictures_dir or self.data_dir / "pictures"

    @property
    def key_file(self) -> Path:
        """Return the path of the master key."""
        return self.master_key_file or self.data_dir / "master.key"

    @property
    def signing_key_file(self) -> Path:
        """Return the path of the evidence log's key."""
        return self.log_key_file or self.data_dir / "log.key"
