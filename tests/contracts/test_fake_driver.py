"""The fake hypervisor keeps the promises that the real one keeps."""

import uuid
from pathlib import Path

import pytest

from compute_agent.drivers.base import DomainSpec
from compute_agent.drivers.fake import FakeHypervisor
from tests.contracts.driver_suite import Bench, DriverSuite


class TestFakeHypervisor(DriverSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path):
        def spec() -> DomainSpec:
            return DomainSpec(uuid=str(uuid.uuid4()), name=f"instance-{uuid.uuid4().hex[:8]}", vcpus=1, memory_mb=96)

        def reopen() -> FakeHypervisor:
            return FakeHypervisor("h1", folder=tmp_path)

        driver = FakeHypervisor("h1")
        # What is handed from one driver to the next lies in the folder; each other test is alone with its driver.
        shared = FakeHypervisor("h1", folder=tmp_path)
        yield Bench(driver=shared, reopen=reopen, spec=spec, wait_for_guest=lambda _spec: None, shutdown_seconds=1.0)
        driver.close()
        shared.close()
