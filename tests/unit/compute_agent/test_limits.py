"""The buckets that limits become."""

import pytest

from compute_agent.network.limits import Bucket


@pytest.mark.parametrize(("kbps", "burst_kb", "mtu", "rate", "burst"), [
    (1_000, 0, 1500, 125_000, 100_000),
    (1_000, 80, 1500, 125_000, 10_000),
    (1_000, 1, 1500, 125_000, 1564),
    (1, 0, 1500, 125, 1564),
    (1, 2**31 - 1, 1500, 125, 125 * 270),
    (1_000_000, 8, 1500, 125_000_000, 1_250_000),
    (2**31 - 1, 2**31 - 1, 1500, 2**32 - 1, 2**31 - 1),
])  # fmt: skip
def test_a_burst_passes_a_frame_outlasts_a_tick_and_fits_the_kernels_fields(kbps, burst_kb, mtu, rate, burst):
    bucket = Bucket.of(kbps, burst_kb, mtu)
    assert (bucket.rate, bucket.burst) == (rate, burst)
    assert all(0 < field < 2**32 for field in bucket.fields)
    assert bucket.limit > burst


def test_no_limit_is_no_bucket():
    assert Bucket.of(0, 100, 1500) is None
