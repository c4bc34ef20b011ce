"""The scheduler written the slow and obvious way: one host after another, everything computed anew for each pick."""

from dataclasses import dataclass, field

from contracts.scheduling import HostState, RequestSpec
from scheduler.core.policies import DEFAULT

# What an image may name -> what a host may say to run it.
_RUNS = {
    "x86_64": {"x86_64"}, "i686": {"i686", "x86_64"}, "aarch64": {"aarch64"}, "KVM": {"KVM", "QEMU"},
    "qemu": {"KVM", "QEMU"}, "hvm": {"hvm"}, "exe": {"exe"},
}  # fmt: skip
_OF_IMAGES = ("architecture", "hypervisor_type", "vm_mode")
# What this loop judges by: a filter or weigher that is new must be written here the slow way too.
FILTERS = {
    "EnabledFilter", "UpFilter", "SoundFilter", "RequestedHostFilter", "IgnoreHostsFilter", "AvailabilityZoneFilter",
    "ImagePropertiesFilter", "TraitsFilter", "VcpuFilter", "RamFilter", "DiskFilter", "SameHostFilter",
    "DifferentHostFilter", "AffinityFilter", "AntiAffinityFilter",
}  # fmt: skip
WEIGHERS = {
    "RamWeigher", "CpuWeigher", "DiskWeigher", "PackedRamWeigher", "PackedCpuWeigher", "SoftAffinityWeigher",
    "SoftAntiAffinityWeigher",
}  # fmt: skip
_GROUP_MULTIPLIER = 10.0


@dataclass
class PlainHost:
    """A host and how many members of the group it holds."""

    state: HostState
    vcpus: int
    memory_mb: int
    disk_gb: int
    members: int = 0


@dataclass
class PlainScheduler:
    """Hosts by name, as the picks so far have left them."""

    request: RequestSpec
    hosts: dict[str, PlainHost] = field(default_factory=dict)
    group_size: int = 0
    packs: bool = False

    @classmethod
    def of(cls, states: list[HostState], request: RequestSpec, placement: str = DEFAULT) -> "PlainScheduler":
        hosts = {
            state.host: PlainHost(
                state=state,
                vcpus=max(state.vcpus, 0) - max(state.vcpus_used, 0),
                memory_mb=max(state.memory_mb, 0) - max(state.memory_mb_used, 0),
                disk_gb=max(state.disk_gb, 0) - max(state.disk_gb_used, 0),
                members=request.group_hosts.count(state.host),
            )
            for state in states
        }
        packs = placement == "pack" or (placement == "spread-then-pack" and cls._is_tight(list(hosts.values())))
        return cls(request, hosts, len(request.group_hosts), packs)

    @staticmethod
    def _is_tight(hosts: list[PlainHost]) -> bool:
        usable = [one for one in hosts if one.state.is_enabled and one.state.is_up and one.state.is_sound]
        half_free = [
            one for one in usable
            if one.vcpus >= max(one.state.vcpus, 0) / 2 and one.memory_mb >= max(one.state.memory_mb, 0) / 2
        ]  # fmt: skip
        return len(half_free) < len(usable) / 2

    def admitted(self) -> list[str]:
        return [name for name, host in self.hosts.items() if self._fits(host) and self._allows(host)]

    def best(self) -> set[str]:
        """Return every host that is as good as any."""
        names = self.admitted()
        if not names:
            return set()
        scores = dict.fromkeys(names, 0.0)
        for multiplier, weights in self._weights(names):
            low, high = min(weights), max(weights)
            for name, weight in zip(names, weights, strict=True):
                scores[name] += multiplier * ((weight - low) / (high - low) if high > low else 0.0)
        top = max(scores.values())
        return {name for name, score in scores.items() if score == top}

    def place(self, name: str) -> None:
        host = self.hosts[name]
        host.vcpus -= self.request.vcpus
        host.memory_mb -= self.request.memory_mb
        host.disk_gb -= self.request.disk_gb
        host.members += 1
        self.group_size += 1

    def _weights(self, names: list[str]) -> list[tuple[float, list[float]]]:
        hosts = [self.hosts[name] for name in names]
        sign = -1.0 if self.packs else 1.0
        weights = [
            (sign, [float(host.memory_mb) for host in hosts]),
            (sign, [float(host.vcpus) for host in hosts]),
        ]
        if not self.packs:
            weights.append((1.0, [float(host.disk_gb) for host in hosts]))
        if self.request.group_policy == "soft-affinity":
            weights.append((_GROUP_MULTIPLIER, [float(host.members) for host in hosts]))
        if self.request.group_policy == "soft-anti-affinity":
            weights.append((_GROUP_MULTIPLIER, [-float(host.members) for host in hosts]))
        return weights

    def _fits(self, host: PlainHost) -> bool:
        request, state = self.request, host.state
        asked = {name: request.image_properties.get(name, "") for name in _OF_IMAGES}
        return (
            state.is_enabled
            and state.is_up
            and state.is_sound
            and host.vcpus >= request.vcpus
            and host.memory_mb >= request.memory_mb
            and host.disk_gb >= request.disk_gb
            and set(request.required_traits) <= set(state.traits)
            and request.availability_zone in {"", state.availability_zone}
            and all(not word or getattr(state, name) in _RUNS[word] for name, word in asked.items())
        )

    def _allows(self, host: PlainHost) -> bool:
        request, name = self.request, host.state.host
        if request.group_policy == "affinity" and self.group_size and not host.members:
            return False
        if request.group_policy == "anti-affinity" and host.members >= request.max_per_host:
            return False
        return (
            request.requested_host in {"", name}
            and name not in request.ignore_hosts
            and name not in request.different_hosts
            and (not request.same_hosts or name in request.same_hosts)
        )
