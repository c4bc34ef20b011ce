"""Which extra specs make sense, checked from microversion 2.86 on.

A key in a name space of ours must be one that we know and its value must fit; other keys are free.
Source: https://docs.openstack.org/nova/latest/configuration/extra-specs.html
"""

import re
from collections.abc import Callable

from cloud.core.errors import Invalid

Rule = Callable[[str], str]
_GROUP = r"[a-zA-Z0-9_-]{0,64}"
_CPUS = re.compile(r"\^?\d+(-\d+)?(,\^?\d+(-\d+)?)*")
_PAGE_SIZE = re.compile(r"large|small|any|\d+([kKMGT]i?)?(b|bit|B)?")
_PCI_ALIAS = re.compile(r"[^:]+:\d+(\s*,\s*[^:]+:\d+)*")
_TRUTHS = frozenset(["1", "t", "true", "on", "y", "yes", "0", "f", "false", "off", "n", "no"])


def _text(value: str) -> str:
    return ""


def _boolean(value: str) -> str:
    return "" if value.lower() in _TRUTHS else "a truth value, such as true or false"


def _one_of(*words: str) -> Rule:
    return lambda value: "" if value in words else "one of " + ", ".join(words)


def _fits(pattern: re.Pattern[str]) -> Rule:
    return lambda value: "" if pattern.fullmatch(value) else f"of the form {pattern.pattern}"


def _whole(least: int | None = None, most: int | None = None) -> Rule:
    def check(value: str) -> str:
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            return "a whole number"
        number = int(value)
        if least is not None and number < least:
            return f"at least {least}"
        return f"at most {most}" if most is not None and number > most else ""

    return check


_AT_LEAST_0, _AT_LEAST_1 = _whole(0), _whole(1)
_SHARES = _one_of("custom", "high", "normal", "low")
_RULES: tuple[tuple[Rule, str], ...] = (
    (_text, r"accel:device_profile|aggregate_instance_extra_specs:.+|capabilities:\w+(:\w+)*"),
    (_text, r"vmware:(hw_version|storage_policy)"),
    (_boolean, r"hw:(cpu_realtime|hide_hypervisor_id|locked_memory|boot_menu|vif_multiqueue_enabled|mem_encryption)"),
    (_boolean, r"hw:(pmu|virtio_packed_ring|ephemeral_encryption)|hw_rng:allowed|hide_hypervisor_id"),
    (_fits(_CPUS), r"hw:(cpu_realtime_mask|cpu_dedicated_mask|numa_cpus\.\d+)"),
    (_fits(_PAGE_SIZE), "hw:mem_page_size"),
    (_fits(re.compile(r"[a-zA-Z0-9_]+(,[a-zA-Z0-9_]+)*,?")), "hw:pmem"),
    (_fits(_PCI_ALIAS), "pci_passthrough:alias"),
    (_one_of("dedicated", "shared", "mixed"), "hw:cpu_policy"),
    (_one_of("prefer", "isolate", "require"), "hw:cpu_thread_policy"),
    (_one_of("isolate", "share"), "hw:emulator_threads_policy"),
    (_one_of("required", "preferred", "legacy", "socket"), "hw:pci_numa_affinity_policy"),
    (_one_of("amd-sev", "amd-sev-es", "amd-sev-snp", "intel-tdx"), "hw:mem_encryption_model"),
    (_one_of("tpm-tis", "tpm-crb"), "hw:tpm_model"),
    (_one_of("1.2", "2.0"), "hw:tpm_version"),
    (_one_of("user", "host", "deployment"), "hw:tpm_secret_security"),
    (_one_of("none", "pause", "poweroff", "reset", "disabled"), "hw:watchdog_action"),
    (_one_of("intel", "smmuv3", "virtio", "auto"), "hw:viommu_model"),
    (_one_of("sb16", "es1370", "pcspk", "ac97", "ich6", "ich9", "usb", "virtio"), "hw:sound_model"),
    (_one_of("none", "nec-xhci", "qemu-xhci"), "hw:usb_model"),
    (_one_of("plain", "luks", "luksv2"), "hw:ephemeral_encryption_format"),
    (_one_of("isolate", "none"), "group_policy"),
    (_one_of("disabled", "required"), "os:secure_boot"),
    (_AT_LEAST_1, r"hw:(numa_nodes|numa_mem\.\d+|cpu_(max_)?(sockets|cores|threads))"),
    (_AT_LEAST_0, r"hw:serial_port_count|hw_rng:(rate_bytes|rate_period)|hw_video:ram_max_mb"),
    (_whole(0, 15), "hw:redirected_usb_ports"),
    (_AT_LEAST_0, r"quota:(cpu|memory|disk_io|vif)_(limit|shares_share)|quota:cpu_(shares|period)"),
    (_AT_LEAST_0, r"quota:disk_(read|write|total)_(bytes|iops)_sec|quota:vif_(in|out)bound_(average|peak|burst)"),
    (_whole(), r"quota:(cpu|memory|disk_io|vif)_reservation|quota:cpu_quota"),
    (_SHARES, r"quota:(cpu|memory|disk_io|vif)_shares_level"),
    (_whole(), rf"resources{_GROUP}:[A-Z0-9_]+"),
    (_one_of("required", "forbidden"), rf"trait{_GROUP}:[A-Z0-9_]+"),
)  # fmt: skip
_COMPILED = tuple((rule, re.compile(pattern)) for rule, pattern in _RULES)
_OURS = re.compile(
    rf"accel|aggregate_instance_extra_specs|capabilities|hw|hw_rng|hw_video|os|pci_passthrough|quota"
    rf"|resources{_GROUP}|trait{_GROUP}|vmware"
)


def check_extra_spec(key: str, value: str) -> None:
    """Refuse an extra spec that cannot be meant.

    Raises:
        Invalid
    """
    for rule, pattern in _COMPILED:
        if pattern.fullmatch(key):
            wanted = rule(value)
            if wanted:
                raise Invalid(f"Validation failed; '{value}' is invalid for extra spec '{key}': it must be {wanted}.")
            return
    if ":" in key and _OURS.fullmatch(key.split(":", 1)[0]):
        raise Invalid(f"Validation failed; extra spec '{key}' does not appear to be a valid extra spec.")
