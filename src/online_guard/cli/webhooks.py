"""Webhook endpoints and their messages."""

from __future__ import annotations

from typing import Annotated

import typer

from online_guard.cli.common import AsJson, DataDir, app, opened, print_json

webhooks_app = typer.Typer(no_args_is_help=True, help="事件推送(Standard Webhooks) / Webhooks.")
app.add_typer(webhooks_app, name="webhooks")
EndpointId = Annotated[str, typer.Argument(help="推送地址的标识 / Id of the endpoint.")]
Platform = Annotated[str, typer.Option(help="平台 / Platform.")]


@webhooks_app.command()
def add(
    url: Annotated[str, typer.Argument(help="https 网址 / https URL.")], platform: Platform, data_dir: DataDir = None
) -> None:
    """新增推送地址;密钥只显示这一次 / Tell a platform at a URL; the secret is shown this once."""
    from online_guard.service.notifying import webhooks

    with opened(data_dir) as house:
        print_json(webhooks.add(house, platform, url))


@webhooks_app.command(name="list")
def list_endpoints(
    platform: Annotated[str | None, typer.Option(help="平台 / Platform.")] = None, data_dir: DataDir = None
) -> None:
    """列出推送地址 / List the endpoints."""
    from online_guard.service.notifying import webhooks

    with opened(data_dir) as house:
        print_json(webhooks.listed(house, platform))


@webhooks_app.command()
def rotate(endpoint_id: EndpointId, data_dir: DataDir = None) -> None:
    """更换密钥,旧密钥并行签名一天 / A new secret; the old one signs beside it for a day."""
    from online_guard.service.notifying import webhooks

    with opened(data_dir) as house:
        print_json(webhooks.rotate(house, endpoint_id))


@webhooks_app.command()
def remove(endpoint_id: EndpointId, data_dir: DataDir = None) -> None:
    """停用推送地址,未送达的搁置 / Tell an endpoint nothing more; what waits for it is parked."""
    from online_guard.service.notifying import webhooks

    with opened(data_dir) as house:
        webhooks.remove(house, endpoint_id)
    typer.echo(f"已停用 / removed: {endpoint_id}")


@webhooks_app.command()
def messages(
    state: Annotated[str | None, typer.Option(help="waiting、delivered 或 parked")] = None,
    platform: Annotated[str | None, typer.Option(help="平台 / Platform.")] = None,
    start: Annotated[int, typer.Option(help="上一页的 next / `next` of the page before.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 1_000,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """列出消息 / List messages; a parked one was given up after 72 h."""
    from online_guard.service.notifying import webhooks

    with opened(data_dir) as house:
        page = webhooks.messages(house, platform, state, start, limit)
    if as_json:
        print_json(page)
        return
    for row in page["messages"]:
        error = f" {row['last_error']}" if row["last_error"] else ""
        typer.echo(f"{row['message_id']} {row['state']} {row['type']} {row['subject']} ×{row['attempts']}{error}")
    if page["next"] is not None:
        typer.echo(f"还有更多 / more: --start {page['next']}", err=True)


@webhooks_app.command()
def replay(
    message_id: Annotated[str, typer.Argument(help="消息标识 / Id of the message.")], data_dir: DataDir = None
) -> None:
    """以原标识重新推送 / Deliver a message again, under its id."""
    from online_guard.service.notifying import webhooks

    with opened(data_dir) as house:
        print_json(webhooks.replay(house, message_id))
