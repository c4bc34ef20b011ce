"""`clouds.yaml`: what OpenStack's clients read to find this cloud and log in to it.

Source: https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html
"""

import os
from pathlib import Path
from typing import Any

import yaml


class UnreadableCloudsFile(Exception):
    """The file is there, but is not what a clouds.yaml looks like."""


def read(path: Path) -> dict[str, Any]:
    """Return the entries of a file by the name of the cloud; nothing where there is no file.

    Raises:
        UnreadableCloudsFile
    """
    if not path.exists():
        return {}
    try:
        clouds = (yaml.safe_load(path.read_text()) or {}).get("clouds") or {}
        return dict(clouds)
    except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        raise UnreadableCloudsFile(f"{path} is not a clouds.yaml; move it away and try again") from error


def write(path: Path, clouds: dict[str, Any]) -> None:
    """Replace a file in one step; only its owner may read it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    text = yaml.safe_dump({"clouds": clouds}, sort_keys=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)


def entry(api_url: str, region: str, name: str, password: str) -> dict[str, Any]:
    """Return the entry of a user in the project of the same name."""
    return {
        "auth": {
            "auth_url": f"{api_url}/identity/v3",
            "username": name,
            "password": password,
            "project_name": name,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        },
        "region_name": region,
        "identity_api_version": "3",
        "interface": "public",
    }


def password_of(found: Any) -> str:
    """Return the password that an entry holds, or an empty text."""
    auth = found.get("auth") if isinstance(found, dict) else None
    password = auth.get("password") if isinstance(auth, dict) else None
    return password if isinstance(password, str) else ""
