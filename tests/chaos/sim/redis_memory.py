"""A Redis in memory: what the cloud and Celery's result backend ask of one, and the ways in which one fails.

`tests/chaos/test_redis_memory.py` holds it against a real one.
"""

import heapq
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Self

import redis
from celery.backends import redis as celery_redis

from cloud.core import backend

Lua = Callable[["MemoryRedis", Sequence[str], Sequence[Any]], Any]


class MemoryRedis:
    """Strings, hashes, sets, sorted sets and streams, each until its time is over."""

    def __init__(self, clock: Callable[[], float], *, decode_responses: bool = False) -> None:
        self._clock = clock
        self._shared: dict[str, Any] = {"values": {}, "run": 1, "away": False, "full": False, "ids": 0}
        self._shared |= {"until": {}, "ends": []}
        self._is_text = decode_responses

    def decoding(self) -> "MemoryRedis":
        """Return a client of the same Redis that answers with text."""
        other = MemoryRedis(self._clock, decode_responses=True)
        other._shared = self._shared
        return other

    def execute_command(self, *words: str) -> None:
        """Take what is said of users and connections: here is one user, who may do everything."""
        assert words[0] in ("ACL", "CLIENT"), words
        self.check()

    def flushall(self) -> None:
        self._shared["values"].clear()
        self._shared["until"].clear()
        self._shared["ends"].clear()

    def restart(self) -> None:
        """Begin anew, without what it held."""
        self.flushall()
        self._shared["run"] += 1

    def fail(self, *, away: bool = False, full: bool = False) -> None:
        self._shared |= {"away": away, "full": full}

    @property
    def is_away(self) -> bool:
        return bool(self._shared["away"])

    def check(self, *, writes: bool = True) -> None:
        """Raise what a client of a Redis in this condition gets."""
        if self._shared["away"]:
            raise redis.ConnectionError("Error 111 connecting to redis: connection refused.")
        if writes and self._shared["full"]:
            raise redis.exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'.")

    def _values(self, *, writes: bool) -> dict[str, Any]:
        self.check(writes=writes)
        self._expire()
        return self._shared["values"]  # type: ignore[no-any-return]

    def _expire(self) -> None:
        ends, until, now = self._shared["ends"], self._shared["until"], self._clock()
        while ends and ends[0][0] <= now:
            end, key = heapq.heappop(ends)
            if until.get(key) == end:
                self._shared["values"].pop(key, None)
                del until[key]

    def _bytes(self, value: Any) -> Any:
        if value is None or (self._is_text and isinstance(value, str)):
            return value
        if self._is_text:
            return value.decode()
        return value if isinstance(value, bytes) else str(value).encode()

    def get(self, key: str) -> Any:
        return self._bytes(self._values(writes=False).get(_text(key)))

    def mget(self, keys: Sequence[str]) -> list[Any]:
        return [self.get(key) for key in keys]

    def set(self, key: str, value: Any, ex: Any = None, nx: bool = False, get: bool = False) -> Any:
        values = self._values(writes=True)
        before = self._bytes(values.get(_text(key)))
        if nx and before is not None:
            return None
        values[_text(key)] = str(value) if isinstance(value, int) else value
        self._shared["until"].pop(_text(key), None)
        if ex is not None:
            self.expire(key, ex)
        return before if get else True

    def setex(self, key: str, seconds: Any, value: Any) -> bool:
        return bool(self.set(key, value, ex=seconds))

    def llen(self, key: str) -> int:
        """Return 0: here are no lists, for messages wait in `wire`."""
        self.check(writes=False)
        return 0

    def incr(self, key: str, amount: int = 1) -> int:
        number = int(self.get(key) or 0) + amount
        self._values(writes=True)[_text(key)] = str(number)
        return number

    def delete(self, *keys: str) -> int:
        values = self._values(writes=False)
        for key in keys:
            self._shared["until"].pop(_text(key), None)
        return sum(values.pop(_text(key), None) is not None for key in keys)

    def expire(self, key: str, seconds: Any) -> bool:
        if _text(key) not in self._values(writes=False):
            return False
        end = self._clock() + (seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)
        self._shared["until"][_text(key)] = end
        heapq.heappush(self._shared["ends"], (end, _text(key)))
        return True

    def exists(self, key: str) -> int:
        return int(_text(key) in self._values(writes=False))

    def publish(self, channel: str, value: Any) -> int:
        self.check()
        return 0

    def hset(self, key: str, field: str, value: Any) -> int:
        self._values(writes=True).setdefault(_text(key), {})[field] = value
        return 1

    def hgetall(self, key: str) -> dict[Any, Any]:
        found = self._values(writes=False).get(_text(key), {})
        return {self._bytes(field): self._bytes(value) for field, value in found.items()}

    def sismember(self, key: str, member: str) -> bool:
        return member in self._values(writes=False).get(_text(key), ())

    def sadd(self, key: str, member: str) -> None:
        self._values(writes=True).setdefault(_text(key), set()).add(member)

    def zadd(self, key: str, score: float, member: Any) -> None:
        self._values(writes=True).setdefault(_text(key), {})[member] = float(score)

    def zcard(self, key: str) -> int:
        return len(self._values(writes=False).get(_text(key), ()))

    def zrange(self, key: str, first: int, last: int) -> list[Any]:
        found = self._values(writes=False).get(_text(key), {})
        members = sorted(found, key=lambda member: (found[member], str(member)))
        return [self._bytes(one) for one in members[first : None if last == -1 else last + 1]]

    def xadd(self, key: str, entry: dict[str, Any], maxlen: int = 0, approximate: bool = True) -> bytes:
        values = self._values(writes=True)
        self._shared["ids"] += 1
        entry_id = b"%015d-0" % self._shared["ids"]
        stream = values.setdefault(_text(key), [])
        stream.append((entry_id, {_as_bytes(name): _as_bytes(value) for name, value in entry.items()}))
        del stream[: max(len(stream) - maxlen, 0) if maxlen else 0]
        return entry_id

    def xread(self, streams: dict[str, bytes], count: int = 100, block: int = 0) -> list[Any]:
        ((key, after),) = streams.items()
        found = [one for one in self._stream(key) if one[0] > after][:count]
        return [[key.encode(), found]] if found else []

    def xrange(self, key: str, min: bytes, max: bytes, count: int = 100) -> list[Any]:
        return [one for one in self._stream(key) if min <= one[0] <= max][:count]

    def xrevrange(self, key: str, max: bytes = b"+", count: int = 100) -> list[Any]:
        newest_first = self._stream(key)[::-1]
        if max.startswith(b"("):
            newest_first = [one for one in newest_first if one[0] < max[1:]]
        return newest_first[:count]

    def _stream(self, key: str) -> list[Any]:
        return list(self._values(writes=False).get(key, []))

    def info(self, section: str) -> dict[str, str]:
        self.check(writes=False)
        return {"run_id": f"run-{self._shared['run']}"}

    def time(self) -> tuple[int, int]:
        self.check(writes=False)
        return int(self._clock()), 0

    def ping(self) -> bool:
        self.check(writes=False)
        return True

    def close(self) -> None:
        return

    def pubsub(self, **_: Any) -> "_Silence":
        self.check(writes=False)
        return _Silence()

    def pipeline(self) -> "_Pipeline":
        return _Pipeline(self)

    def register_script(self, text: str) -> Callable[..., Any]:
        """Return one of Celery's scripts; they are told apart by their text, so that a new one is noticed."""
        script = _SCRIPTS[text]

        def run(keys: Sequence[str], args: Sequence[Any], client: Any = None) -> Any:
            self.check()
            return script(self, [_text(key) for key in keys], args)

        return run


class _Silence:
    """Subscriptions of whoever sends a chord: nobody reads them."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **kwargs: None


class _Pipeline:
    def __init__(self, client: MemoryRedis) -> None:
        self._client = client
        self._calls: list[Callable[[], Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._calls.clear()

    def __getattr__(self, name: str) -> Callable[..., "_Pipeline"]:
        def later(*args: Any, **kwargs: Any) -> "_Pipeline":
            self._calls.append(lambda: getattr(self._client, name)(*args, **kwargs))
            return self

        return later

    def execute(self) -> list[Any]:
        return [call() for call in self._calls]


def _chord_part_return(client: MemoryRedis, keys: Sequence[str], args: Sequence[Any]) -> tuple[Any, ...]:
    jkey, tkey, skey, dkey, _, ckey = keys
    task_id, value, _, score, *_ = args
    if client.get(ckey) == b"done":
        return -1, 0, 0, 0
    member = f"{task_id}:{score}"
    if not client.sismember(dkey, member):
        client.zadd(jkey, float(score), value)
        client.sadd(dkey, member)
    ready, difference, size = client.zcard(jkey), client.get(tkey), client.get(skey)
    is_whole = size is not None and ready == int(size) + int(difference or 0)
    claimed = int(bool(is_whole and client.set(ckey, args[7], nx=True)))
    return ready, difference, size, claimed


def _chord_cleanup(client: MemoryRedis, keys: Sequence[str], args: Sequence[Any]) -> int:
    if client.get(keys[0]) != _as_bytes(args[0]):
        return 0
    client.delete(*keys[1:])
    client.set(keys[0], "done")
    return 1


def _chord_claim_extend(client: MemoryRedis, keys: Sequence[str], args: Sequence[Any]) -> int:
    if client.get(keys[0]) == _as_bytes(args[0]):
        return 1
    if client.get(keys[0]) is None and client.exists(keys[1]):
        return int(bool(client.set(keys[0], args[0], nx=True)))
    return 0


_SCRIPTS: dict[str, Lua] = {
    celery_redis.CHORD_PART_RETURN_LUA: _chord_part_return,
    celery_redis.CHORD_CLEANUP_LUA: _chord_cleanup,
    celery_redis.CHORD_CLAIM_EXTEND_LUA: _chord_claim_extend,
}


def _text(key: Any) -> str:
    return key.decode() if isinstance(key, bytes) else str(key)


def _as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


class Backend(backend.Backend):
    """The cloud's own backend for Redis, asking the one in memory."""

    memory: MemoryRedis
    thread_safe = True

    @property
    def client(self) -> Any:  # type: ignore[override]
        return self.memory

    def on_task_call(self, producer: Any, task_id: str) -> None:
        """Nobody waits for a result here."""
