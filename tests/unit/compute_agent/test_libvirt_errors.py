"""What libvirt says becomes an error that names what is wrong."""

import libvirt
import pytest

from compute_agent.drivers.libvirt.errors import translated
from compute_agent.errors import DriverError
from contracts.errors import ErrorCode


def error(text, code=libvirt.VIR_ERR_SYSTEM_ERROR, domain=libvirt.VIR_FROM_QEMU):
    made = libvirt.libvirtError(text)
    made.err = (code, domain, text, 2, "", "", "", -1, -1)
    return made


@pytest.mark.parametrize(("raised", "code", "words"), [
    (error("Failed to create file '/x/console.log': No space left on device"), ErrorCode.HOST_DISK_FULL, "console.log"),
    (error("Domain not found", libvirt.VIR_ERR_NO_DOMAIN), ErrorCode.INSTANCE_NOT_FOUND, "not found"),
    (error("no luck"), ErrorCode.HYPERVISOR_ERROR, "starting domain x: no luck"),
    (error("broken pipe", domain=libvirt.VIR_FROM_RPC), ErrorCode.HYPERVISOR_ERROR, "libvirt does not answer"),
])  # fmt: skip
def test_it_has_a_code_and_says_what_was_being_done(raised, code, words):
    with pytest.raises(DriverError, match=words) as found, translated("starting domain x"):
        raise raised
    assert found.value.code == code
