"""`POST /guest-passwords`: a host keeps, or asks for, the password of one of its guests. Its word is signed. 200."""

import msgspec

from cloud.compute.services import guest_passwords
from cloud.compute.services.keyring import key_of
from cloud.core.endpoints import ApiRequest, Reply, endpoint, route
from cloud.core.errors import Forbidden
from contracts.guests import KEEP_PASSWORD, MOST_PASSWORD_BYTES, KeepPassword
from contracts.signing import WORD, is_signed

_NAME = {"type": "string", "maxLength": 64}
# A host of a later release may say more, which its signature covers too.
_WORD = {
    "type": "object",
    "properties": {
        "host": _NAME,
        "instance_uuid": _NAME,
        "password": {"type": "string", "maxLength": MOST_PASSWORD_BYTES},
        "signature": _NAME,
    },
    "required": ["host", "instance_uuid", "signature"],
}


@endpoint("", body=_WORD)
def keep(request: ApiRequest) -> Reply:
    """Keep a guest's password if it has none; answer with the one it has."""
    word = KeepPassword.from_wire(request.body)
    key = key_of(word.host)
    if key is None or not is_signed(key, WORD, KEEP_PASSWORD, request.body):
        raise Forbidden("This is no word of a host of this cloud.")
    return Reply(msgspec.to_builtins(guest_passwords.keep(word.host, word.instance_uuid, word.password)))


ROUTES = [route("/guest-passwords", POST=keep)]
