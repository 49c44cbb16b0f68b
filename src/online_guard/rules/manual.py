"""The manual: what each rule's module docstring says, in parts, in Chinese and in English.

A docstring is `OG103 declared-rate 声明倍速`, an empty line, and the parts of `PARTS` in their order. A part is its
heading alone in a line and its text indented by four spaces: the Chinese text, an empty line, the English one. In
`证据 / Evidence` each line that begins with `key: ` explains a key; `阈值 / Thresholds` lists keys of the pack, or `-`;
`起 / Since` is a version.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from online_guard.errors import ErrorKind, GuardError
from online_guard.policy import Policy, describe
from online_guard.rules.base import Rule

PARTS: dict[str, str] = {
    "finds": "查什么 / What it looks for",
    "thresholds": "阈值 / Thresholds",
    "clause": "条款 / Clause",
    "evidence": "证据 / Evidence",
    "boundary": "边界 / Boundary",
    "honest": "诚实学员 / Honest learner",
    "appeal": "申诉 / Appeal",
    "silent": "不应报 / Must stay silent",
    "since": "起 / Since",
}
"""Name of each part, and its heading."""
SINGLE = ("thresholds", "since")
"""Parts that are no prose."""
WIDE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
LATIN_WORDS = re.compile(r"[A-Za-z]{2}")


class Text(NamedTuple):
    """A text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class Page:
    """One rule's page.

    texts: by part. evidence: by key of the evidence, in order. thresholds: keys of the pack.
    """

    id: str
    name: str
    zh: str
    texts: Mapping[str, Text]
    evidence: Mapping[str, Text]
    thresholds: tuple[str, ...]
    since: str


def page_of(rule: Rule) -> Page:
    """Return the page of a rule, from the docstring of its module.

    Raises:
        GuardError: The docstring lacks a part or a language, or says something in another form; `where` is the module.
    """
    module = rule.check.__module__
    return read_page(rule, sys.modules[module].__doc__ or "", module)


def read_page(rule: Rule, docstring: str, where: str) -> Page:
    """Return the page that a docstring says; raises as `page_of` does."""
    title, _, body = docstring.strip().partition("\n\n")
    if title != f"{rule.id} {rule.name} {rule.zh}":
        raise _refused(where, f"first line isn't `{rule.id} {rule.name} {rule.zh}`")
    blocks = _blocks(body, where)
    prose = {name: _both(blocks[name], f"{where}: {PARTS[name]}") for name in PARTS if name not in SINGLE}
    evidence = _evidence(prose.pop("evidence"), where)
    texts = {name: Text(_joined(text.zh), _joined(text.en)) for name, text in prose.items()}
    for name, text in (*texts.items(), *((key, text) for key, text in evidence.items() if not _is_sign(text))):
        if not WIDE.search(text.zh) or not LATIN_WORDS.search(text.en) or WIDE.search(text.en):
            raise _refused(where, f"{name}: Chinese text first, English second")
    keys = () if blocks["thresholds"] == "-" else tuple(re.split(r",\s+", blocks["thresholds"]))
    return Page(rule.id, rule.name, rule.zh, texts, evidence, keys, blocks["since"])


def _is_sign(text: Text) -> bool:
    """Return whether a text is a number or a name of the pack, which is the same in both languages."""
    return text.zh == text.en and re.fullmatch(r"[\w.]+", text.en) is not None


def _blocks(body: str, where: str) -> dict[str, str]:
    """Return the text under each heading, without its indent; all headings must be there, in order."""
    lines = body.splitlines()
    heads = [line for line in lines if line and not line.startswith(" ")]
    if heads != list(PARTS.values()):
        missing = [name for name in PARTS.values() if name not in heads] or heads
        raise _refused(where, f"the parts must be {', '.join(PARTS.values())}; look at {', '.join(missing)}")
    blocks: dict[str, list[str]] = {}
    for line in lines:
        if line and not line.startswith(" "):
            blocks[next(name for name, heading in PARTS.items() if heading == line)] = own = []
        elif line and not line.startswith("    "):
            raise _refused(where, f"indent of four spaces: {line.strip()}")
        else:
            own.append(line[4:])
    texts = {name: "\n".join(own).strip("\n") for name, own in blocks.items()}
    for name, text in texts.items():
        if not text:
            raise _refused(where, f"{PARTS[name]}: empty")
    return texts


def _both(block: str, where: str) -> Text:
    parts = block.split("\n\n")
    if len(parts) != 2:
        raise _refused(where, f"a Chinese and an English paragraph with an empty line between, not {len(parts)}")
    return Text(*parts)


def _evidence(block: Text, where: str) -> dict[str, Text]:
    zh, en = (_keyed(text, where) for text in block)
    if list(zh) != list(en):
        raise _refused(where, f"{PARTS['evidence']}: the keys differ: {', '.join(zh)} and {', '.join(en)}")
    return {key: Text(zh[key], en[key]) for key in zh}


def _keyed(text: str, where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    key = ""
    for line in text.splitlines():
        if told := re.fullmatch(r"([a-z_]+): (.+)", line):
            key, found[told[1]] = told[1], told[2]
        elif key and line.startswith("  "):
            found[key] = _joined(f"{found[key]}\n{line.strip()}")
        else:
            raise _refused(where, f"{PARTS['evidence']}: `key: text` is needed: {line}")
    return found


def _joined(text: str) -> str:
    """Return lines as one: a space between Latin words, or a Chinese and a Latin one; else none."""
    first, *rest = text.splitlines()
    for line in rest:
        sides = (first[-1], line[0])
        chinese = [bool(WIDE.match(side)) for side in sides]
        apart = sides[chinese.index(False)].isalnum() if any(chinese) and not all(chinese) else not all(chinese)
        first += f" {line}" if apart else line
    return first


def _refused(where: str, reason: str) -> GuardError:
    return GuardError(ErrorKind.INVALID, "manual.page", f"规则说明不完整 / {reason}", where=where)


def as_json(rule: Rule, policy: Policy) -> dict[str, object]:
    """Return a rule's page as JSON values: facts, texts by part with `zh` and `en`, thresholds with their values."""
    page = page_of(rule)
    lines = {line.key: line for line in describe(policy)}
    return {
        "id": page.id,
        "name": page.name,
        "zh": page.zh,
        "subject": str(rule.subject),
        "effect": str(policy.effects[page.id]),
        "clause_no": policy.clauses[page.id],
        "clause_text": policy.texts[page.id],
        **{name: text._asdict() for name, text in page.texts.items()},
        "thresholds": [
            {"key": key, "value": lines[key].value, "unit": lines[key].unit, "clause": lines[key].clause}
            for key in page.thresholds
        ],
        "evidence": {key: text._asdict() for key, text in page.evidence.items()},
        "since": page.since,
        "policy": policy.id,
    }


def as_markdown(rule: Rule, policy: Policy) -> str:
    """Return a rule's page in Markdown: all of it in Chinese, then all of it in English."""
    page = page_of(rule)
    return "\n".join(
        [f"# {page.id} {page.zh} {page.name}\n", _half(rule, page, policy, 0), _half(rule, page, policy, 1)]
    )


def _half(rule: Rule, page: Page, policy: Policy, side: int) -> str:
    """Return the page in one language: 0 is Chinese, 1 English."""
    lines = {line.key: line for line in describe(policy)}
    head = {name: heading.split(" / ")[side] for name, heading in PARTS.items()}
    labels = (("对象", "默认效力", "政策包", "无"), ("subject", "default effect", "pack", "none"))[side]
    facts = f"{labels[0]} `{rule.subject}` · {labels[1]} `{policy.effects[page.id]}` · {labels[2]} `{policy.id}`"
    parts = [f"## {('中文', 'English')[side]}\n", facts, f"\n### {head['finds']}\n", page.texts["finds"][side]]
    quote = f"> {policy.clauses[page.id]}「{policy.texts[page.id]}」"
    parts += [f"\n### {head['clause']}\n", quote + "\n", page.texts["clause"][side], f"\n### {head['thresholds']}\n"]
    parts += [_threshold(lines[key].value_text, lines[key].unit, key, lines[key].clause) for key in page.thresholds]
    parts += [] if page.thresholds else [labels[3]]
    parts += [f"\n### {head['evidence']}\n", *(f"- `{key}`: {text[side]}" for key, text in page.evidence.items())]
    for name in ("boundary", "honest", "appeal", "silent"):
        parts += [f"\n### {head[name]}\n", page.texts[name][side]]
    return "\n".join([*parts, f"\n### {head['since']}\n", page.since, ""])


def _threshold(value: str, unit: str, key: str, clause: str) -> str:
    return f"- `{key}` = {value}{f' {unit}' if unit else ''} ({clause})"
