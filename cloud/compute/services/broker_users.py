"""The hosts' users in Redis: each may read its own queues, write to the conductor's inbound queue, and nothing more.

Every right is a selector of its own: commands of one kind on keys of one kind. So no agent can make something else of
a queue than a list, which would stop whoever writes to it, nor overtake others in the inbound queue.
"""

import hashlib
import logging
from collections.abc import Iterable
from functools import cache

import redis
from django.conf import settings
from redis.connection import parse_url

from cloud.compute.models import HostCredential
from cloud.compute.services.credential_secrets import credential_name, redis_password, redis_user
from contracts.broker import work_keys
from contracts.routing import INBOUND_QUEUE

_log = logging.getLogger(__name__)
_SECONDS = 3.0
_SAMPLES = 20
_AT_ONCE = 1_000
# MULTI only bundles what the selectors allow. Events are what Flower shows of an agent.
_ANYWHERE = "+ping +time +select +multi +exec +discard +unwatch +publish"
_OWN_QUEUES = "+lpush +rpush +brpop"
_OWN_KEYS = "+zadd +zrem +zrange +hset +hget +hdel +watch"


def rules(credential: HostCredential) -> list[str]:
    """Return what follows the user's name in ACL SETUSER, and in a line of Redis' ACL file."""
    digest = hashlib.sha256(redis_password(credential.name, credential.salt).encode()).hexdigest()
    # `compute.NAME.slow` is matched by `compute.NAME*` only where the name is the beginning of many.
    lanes = " ".join(f"~compute.{one} ~compute.{one}.slow" for one in credential.hosts)
    in_work = " ".join(f"~{key}" for key in work_keys(credential.name))
    return [
        "reset", "on", f"#{digest}", *_ANYWHERE.split(), f"&/{_database()}.celeryev/*",
        f"({_OWN_QUEUES} {lanes})", f"({_OWN_KEYS} {in_work})", f"(+lpush %W~{INBOUND_QUEUE})",
    ]  # fmt: skip


def acl_lines() -> list[str]:
    """Return the users of all living credentials as lines of Redis' configuration or ACL file."""
    rows = HostCredential.objects.order_by("name")
    return [" ".join(["user", redis_user(one.name), *rules(one)]) for one in rows if one.is_living]


def allow(credentials: Iterable[HostCredential]) -> None:
    """Make or change the users of living credentials. Raises redis.RedisError."""
    for one in credentials:
        _client().execute_command("ACL", "SETUSER", redis_user(one.name), *rules(one))
    _save()


def remove(name: str) -> None:
    """End a user and its connections. Raises redis.RedisError."""
    # Removing a user ends its connections; nobody can come again before that.
    _client().execute_command("ACL", "DELUSER", redis_user(name))
    _save()


def cut_off(name: str) -> None:
    """End a user's connections: it may come again with the password of now. Raises redis.RedisError."""
    _client().execute_command("CLIENT", "KILL", "USER", redis_user(name))


def restore(*, renew: bool = False) -> int:
    """Make the users that a Redis without memory lacks, and end those of no credential; return how many that were.

    Args:
        renew: give the others their rights anew: an earlier release may have made them.

    Raises:
        redis.RedisError
    """
    living = {one.name: one for one in HostCredential.objects.all() if one.is_living}
    there = {name for name in map(credential_name, _client().execute_command("ACL", "USERS")) if name}
    missing = [one for name, one in living.items() if name not in there]
    wanted = list(living.values()) if renew else missing
    if wanted:
        allow(wanted)
    for name in there - living.keys():
        remove(name)
    return len(missing) + len(there - living.keys())


def run_id() -> str:
    """Return what is another after each start of Redis. Raises redis.RedisError."""
    return str(_client().info("server")["run_id"])


def used_memory() -> int:
    """Return how many bytes Redis uses. Raises redis.RedisError."""
    return int(_client().info("memory")["used_memory"])


def held_by(credential: HostCredential) -> int:
    """Return about how many bytes lie under the keys of a credential. Raises redis.RedisError."""
    with _client().pipeline(transaction=False) as pipe:
        for key in _keys_of(credential):
            pipe.memory_usage(key, samples=_SAMPLES)
        return sum(size or 0 for size in pipe.execute())


def drop_keys(credential: HostCredential) -> None:
    """Remove all that lies under the keys of a credential. Raises redis.RedisError."""
    keys = _keys_of(credential)
    for begin in range(0, len(keys), _AT_ONCE):
        _client().unlink(*keys[begin : begin + _AT_ONCE])


def _keys_of(credential: HostCredential) -> list[str]:
    keys = work_keys(credential.name)
    for one in credential.hosts:
        if one.endswith("*"):  # which of them there are, nobody but Redis knows
            keys += _client().scan_iter(match=f"compute.{one}", count=_AT_ONCE)
        else:
            keys += [f"compute.{one}", f"compute.{one}.slow"]
    return keys


def connections() -> list[dict[str, str]]:
    """Return what Redis says of each connection. Raises redis.RedisError."""
    found: list[dict[str, str]] = _client().client_list()
    return found


def queue_length(queue: str) -> int:
    """Return how many messages wait. Raises redis.RedisError."""
    return int(_client().llen(queue))


def take_from(queue: str, count: int) -> list[bytes]:
    """Take the messages that wait longest. Raises redis.RedisError."""
    taken: list[bytes] = _bytes_client(settings.REDIS_URL).rpop(queue, count) or []
    return taken


def put_first(queue: str, messages: list[bytes]) -> None:
    """Put messages where they are read first, the first of them before the others. Raises redis.RedisError."""
    _client().rpush(queue, *reversed(messages))


def _database() -> int:
    return int(parse_url(settings.REDIS_URL).get("db") or 0)


def _save() -> None:
    try:
        _client().execute_command("ACL", "SAVE")
    except redis.ResponseError:
        # No ACL file: what a restart loses is made again by `restore`.
        _log.debug("this Redis keeps its users in memory only")


def _client() -> redis.Redis:
    return _client_of(settings.REDIS_URL)


@cache
def _client_of(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS, decode_responses=True)


@cache
def _bytes_client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)
