"""What a host asks the API on behalf of one of its guests, while the guest waits for the answer."""

from contracts.envelope import Message

# Below the root of all APIs.
PASSWORD_PATH = "novella/v1/guest-passwords"  # noqa: S105 - a path
# Under which a host signs it. It is no task.
KEEP_PASSWORD = "guests.keep_password"  # noqa: S105 - a name
# Of a password: what four values of Nova's metadata hold.
MOST_PASSWORD_BYTES = 4 * 255


class KeepPassword(Message, frozen=True, kw_only=True):
    """The password that a guest has made for itself, encrypted for its owner: kept if there is none yet.

    `password`: empty for a guest that only asks which it is. `signature`: the host's word, see contracts.signing.
    """

    host: str
    instance_uuid: str
    password: str = ""
    signature: str = ""


class PasswordKept(Message, frozen=True, kw_only=True):
    """The password that there is now, which may be none; `is_new`: it was not there before."""

    password: str = ""
    is_new: bool = False
