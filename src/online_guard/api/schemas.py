"""A short way to write the JSON schemas of answers."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
MS: Schema = {"type": "integer", "minimum": 0, "description": "毫秒 / ms since the epoch"}
FLAG: Schema = {"type": "boolean"}
DAY: Schema = {"type": "string", "format": "date"}
HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
ANYTHING: Schema = {}
LIST: Schema = {"type": "array"}
FACTS: Schema = {"type": "object", "description": "逐项证据 / facts by name"}


def one_of(*words: object) -> Schema:
    """Return the schema of a word out of a few."""
    return {"enum": [str(word) for word in words]}


def or_null(schema: Schema) -> Schema:
    """Return a schema that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def keys(*optional: str, **properties: Schema) -> Schema:
    """Return the schema of an object with these keys and no others; the `optional` ones may be missing."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def having(**properties: Schema) -> Schema:
    """Return the schema of an object that has these keys, and others."""
    return {"type": "object", "required": list(properties), "properties": properties}


def ref(name: str) -> Schema:
    """Return a reference to one of `COMPONENTS`."""
    return {"$ref": f"#/components/schemas/{name}"}
