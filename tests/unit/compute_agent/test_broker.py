"""What the agent's transport says to Redis by itself."""

import pytest
from redis._parsers.encoders import Encoder
from redis.connection import PythonRespSerializer

from compute_agent.broker import wait_command


@pytest.mark.parametrize("seconds", [0, 5, 0.5])
@pytest.mark.parametrize("queues", [["compute.a"], ["compute.a", "compute.a.slow", "compute.b-2"], ["compute.\u00e4"]])
def test_waiting_at_queues_is_written_as_redis_own_client_writes_it(queues, seconds):
    packer = PythonRespSerializer(6_000, Encoder("utf-8", "strict", decode_responses=False).encode)
    assert wait_command(queues, seconds) == b"".join(packer.pack("BRPOP", *queues, seconds))
