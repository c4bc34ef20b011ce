"""Pieces of the bodies' schemas."""

from typing import Any

from cloud.core.validation import Schema

NAME: Schema = {"type": "string", "maxLength": 255, "format": "printable"}
ID: Schema = {"type": "string", "format": "uuid"}
# Neutron takes words for truth values too; `truth` reads them.
BOOLEAN: Schema = {"enum": [True, False, "true", "false", "True", "False", "1", "0", 1, 0]}
ADDRESS: Schema = {"type": "string", "format": "ip-address"}
# Numbers may come as text: the stock client passes on what was typed. `with_numbers` reads them.
_DIGITS: Schema = {"type": ["integer", "string"], "pattern": "^-?[0-9]{1,10}$", "format": "printable"}
NUMBER: Schema = {**_DIGITS, "minimum": 0, "maximum": 2**31 - 1}
SIGNED_NUMBER: Schema = {**_DIGITS, "minimum": -(2**31), "maximum": 2**31 - 1}
MAC: Schema = {"type": "string", "pattern": r"^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$"}
CIDR: Schema = {"type": "string", "maxLength": 64, "format": "cidr"}
FIXED_IPS: Schema = {
    "type": "array",
    "maxItems": 32,
    "items": {"type": "object", "properties": {"subnet_id": ID, "ip_address": ADDRESS}, "minProperties": 1,
              "additionalProperties": False},
}
ROUTES_OF: Schema = {
    "type": "array",
    "maxItems": 100,
    "items": {"type": "object", "properties": {"destination": CIDR, "nexthop": ADDRESS},
              "required": ["destination", "nexthop"], "additionalProperties": False},
}
PROJECT: Schema = {"type": "string", "maxLength": 255, "format": "printable"}
TAG: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[^,/]+$", "format": "printable"}
TAGS: Schema = {"type": "array", "items": TAG, "maxItems": 50}
OWNED: Schema = {"project_id": PROJECT, "tenant_id": PROJECT}
NAMED: Schema = {"name": NAME, "description": NAME}
_TRUE = (True, "true", "True", "1", 1)


def truth(value: Any) -> bool:
    """Read what BOOLEAN lets through."""
    return value in _TRUE


def with_truths(item: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return an item with these of its attributes as truth values."""
    return {name: truth(value) if name in names else value for name, value in item.items()}


def with_numbers(item: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return an item with these of its attributes as whole numbers; None stays."""
    return {name: int(value) if name in names and value is not None else value for name, value in item.items()}


def creation(singular: str, plural: str, properties: Schema, required: list[str] | None = None) -> Schema:
    """Return the schema of a body that makes one thing or several."""
    item = {"type": "object", "properties": {**OWNED, **properties}, "required": required or [],
            "additionalProperties": False}
    return {
        "type": "object",
        "properties": {singular: item, plural: {"type": "array", "items": item, "minItems": 1, "maxItems": 1000}},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def change(singular: str, properties: Schema) -> Schema:
    """Return the schema of a body that changes one thing."""
    item = {"type": "object", "properties": properties, "additionalProperties": False}
    return {"type": "object", "properties": {singular: item}, "required": [singular], "additionalProperties": False}
