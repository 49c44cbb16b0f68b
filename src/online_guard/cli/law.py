"""The law: policy packs and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from online_guard import __version__
from online_guard.cli.common import AsJson, PolicyName, Settings, app, policy_app, print_json

if TYPE_CHECKING:
    from online_guard.policy import Policy


@app.command()
def version() -> None:
    """显示版本 / Show the version."""
    typer.echo(__version__)


@policy_app.command("show")
def policy_show(
    name: Annotated[str, typer.Argument(help="名称或文件 / Name or file.")] = "huangchuan-2021",
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """列出一个政策包的每个数值及其条款 / Show every value of a policy pack with its clause."""
    from online_guard.policy import describe, load_policy

    policy = load_policy(name, settings or ())
    lines = describe(policy)
    if as_json:
        head = {"id": policy.id, "version": policy.version, "sha256": policy.sha256}
        print_json({**head, "values": [msgspec.to_builtins(line) for line in lines]})
        return
    table = Table(title=f"{policy.title} ({policy.id} {policy.version})\nSHA-256 {policy.sha256}")
    for heading in ("键 key", "值 value", "单位 unit", "条款 clause", "原文或理由 text"):
        table.add_column(heading, overflow="fold")
    for line in lines:
        table.add_row(line.key, line.value_text, line.unit, line.clause, line.text)
    Console().print(table)


@policy_app.command("check")
def policy_check(
    name: Annotated[str, typer.Argument(help="名称或文件 / Name or file.")],
    settings: Settings = None,
) -> None:
    """检查一个政策包 / Check a policy pack: unknown, missing or impossible values are refused."""
    from online_guard.policy import load_policy

    policy = load_policy(name, settings or ())
    typer.echo(f"正确 / correct: {policy.id} {policy.version} {policy.sha256}")


@app.command()
def rules(
    rule: Annotated[str, typer.Argument(help="规则编号,如 OG301 / Id of a rule, such as OG301.")] = "",
    policy_name: PolicyName = "huangchuan-2021",
    as_json: AsJson = False,
) -> None:
    """列出规则目录,或一条规则的说明 / List the catalogue of rules, or show one rule's page."""
    from online_guard.policy import load_policy
    from online_guard.rules.catalogue import RULES

    policy = load_policy(policy_name)
    if rule:
        _show_rule(rule, policy, as_json=as_json)
        return
    rows = [
        (rule.id, rule.name, rule.zh, str(rule.subject), str(policy.effects[rule.id]), policy.clauses[rule.id])
        for rule in RULES
    ]
    names = ("id", "name", "zh", "subject", "effect", "clause")
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in sorted(rows)])
        return
    table = Table("规则 rule", "名称 name", "中文", "对象 subject", "效力 effect", "条款 clause")
    for row in sorted(rows):
        table.add_row(*row)
    Console().print(table)


def _show_rule(rule_id: str, policy: Policy, *, as_json: bool) -> None:
    from rich.markdown import Markdown

    from online_guard.rules import manual
    from online_guard.rules.catalogue import rule_of

    rule = rule_of(rule_id)
    if as_json:
        print_json(manual.as_json(rule, policy))
    else:
        Console().print(Markdown(manual.as_markdown(rule, policy)))
