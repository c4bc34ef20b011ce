"""Who somebody is: the methods password, token and application_credential.

Every failure is the same 401, after the same time, so that nobody learns which users exist.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cloud.core.errors import Invalid
from cloud.identity.errors import ActionForbidden, AuthenticationFailed, TokenNotFound
from cloud.identity.passwords import matches
from cloud.identity.selectors import grants
from cloud.identity.selectors.grants import CredentialRow, Person
from cloud.identity.services.contexts import resolve

Document = dict[str, Any]


@dataclass(frozen=True)
class Proof:
    """What was proven.

    Attributes:
        methods: how, in the token's words.
        expires_at: no later than this, or None. audit_id: of the first token in the chain, or empty.
        credential: the application credential that was used.
    """

    person: Person
    methods: tuple[str, ...]
    expires_at: datetime | None = None
    audit_id: str = ""
    credential: CredentialRow | None = None


def prove(identity: Document) -> Proof:
    """Check every method that a request names; all must be of the same user.

    Args:
        identity: `auth.identity` of the request, already of the right shape.

    Raises:
        Invalid: a method without its part. AuthenticationFailed: something does not fit.
        TokenNotFound: the token of the method `token` is not valid.
    """
    names = list(dict.fromkeys(identity["methods"]))
    if not names or any(name not in _METHODS for name in names):
        raise AuthenticationFailed
    for name in names:
        if name not in identity:
            raise Invalid(f"Expecting to find {name} in identity. The server could not comply with the request.")
    proofs = [_METHODS[name](identity[name]) for name in names]
    if len({proof.person.id for proof in proofs}) > 1:
        raise AuthenticationFailed
    methods = tuple(dict.fromkeys(method for proof in proofs for method in proof.methods))
    merged = next((proof for proof in proofs if proof.audit_id or proof.credential), proofs[0])
    return replace(merged, methods=methods)


def check_password(user: Document, password: str) -> Person:
    """Return the user whose password this is.

    Raises:
        AuthenticationFailed
    """
    row = grants.user_row(user)
    fits = matches(password, row[1] if row else None)
    found = grants.person(row[0]) if row and fits and row[2] else None
    if found is None:
        raise AuthenticationFailed
    return found


def _password(document: Document) -> Proof:
    user = document["user"]
    _need_domain(user)
    return Proof(check_password(user, user["password"]), ("password",))


def _token(document: Document) -> Proof:
    found = resolve(document["id"])
    if found is None:
        raise TokenNotFound
    claims, grant = found
    if grant.credential is not None:
        raise ActionForbidden(action="rescope a token of an application credential")
    return Proof(
        grant.person, tuple(dict.fromkeys(("token", *claims.methods))), claims.expires_at, claims.audit_ids[-1]
    )


def _application_credential(document: Document) -> Proof:
    if "id" in document:
        row = grants.credential(pk=document["id"])
    else:
        _need_domain(document.get("user", {}))
        owner = grants.user_row(document["user"])
        row = grants.credential(user_id=owner[0], name=document["name"]) if owner else None
    fits = matches(document["secret"], row.secret_hash if row else None)
    owner_now = grants.person(row.user_id) if row and fits else None
    if row is None or owner_now is None:
        raise AuthenticationFailed
    return Proof(owner_now, ("application_credential",), row.expires_at, credential=row)


def _need_domain(user: Document) -> None:
    if "id" not in user and not user.get("domain"):
        raise Invalid("Expecting to find domain in user. The server could not comply with the request.")


_METHODS: dict[str, Callable[[Document], Proof]] = {
    "password": _password,
    "token": _token,
    "application_credential": _application_credential,
}
