"""The picture of networks: four columns, from the outside to the servers; where each box and line stands.

The template draws them as SVG.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cloud.networks.selectors.topology import NetworkSeen, PortSeen, RouterSeen, Topology

BOX_WIDTH = 212
_GAP_X, _GAP_Y, _MARGIN = 70, 16, 4
_TOP, _LINE, _FOOT = 22, 16, 10
_CHARACTERS = 32
_OUTSIDE, _ROUTERS, _NETWORKS, _SERVERS = range(4)
TITLES = ("external networks", "routers", "networks", "servers")


@dataclass(frozen=True)
class ServerSeen:
    """A server as the picture names it: `tone` says how it is."""

    pk: int
    name: str
    status: str
    host: str
    tone: str


@dataclass
class Box:
    """A thing: its place, what is written in it, and the page that it leads to.

    Attributes:
        kind: `network`, `router`, `server` or `more`. page, pk: of the admin; empty for none.
        hint: all of it in words, for whoever does not see the picture, and of what did not fit.
    """

    key: str
    kind: str
    tone: str
    name: str
    lines: tuple[str, ...]
    page: str = ""
    pk: str = ""
    column: int = 0
    y: int = 0
    whole: tuple[str, ...] = field(default=(), repr=False)

    @property
    def x(self) -> int:
        return _MARGIN + self.column * (BOX_WIDTH + _GAP_X)

    @property
    def height(self) -> int:
        return _TOP + len(self.lines) * _LINE + _FOOT

    @property
    def middle(self) -> int:
        return self.y + self.height // 2

    @property
    def texts(self) -> list[tuple[int, str]]:
        """The lines below the name, each with its place."""
        return [(_TOP + place * _LINE, text) for place, text in enumerate(self.lines, start=1)]

    @property
    def hint(self) -> str:
        return f"{self.kind} {', '.join(self.whole)}"


@dataclass(frozen=True)
class Line:
    """From one box to another, as an SVG path. `tone`: whether anything passes. `hint`: what it is."""

    path: str
    tone: str
    hint: str


@dataclass(frozen=True)
class Picture:
    """The whole of it."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    titles: tuple[tuple[int, str], ...]


def picture(seen: Topology, servers: Mapping[str, ServerSeen]) -> Picture:
    """Return the picture of a topology; `servers` by the device ids of its ports."""
    boxes: dict[str, Box] = {}
    for network in seen.networks:
        boxes[network.id] = _network(network)
    for router in seen.routers:
        boxes[router.id] = _router(router)
    by_server: dict[str, list[PortSeen]] = defaultdict(list)
    for port in seen.ports:
        by_server[port.device_id].append(port)
    for device_id, ports in by_server.items():
        boxes[device_id] = _server(device_id, ports, servers.get(device_id))
    rest = {one.id: one.ports - sum(port.network_id == one.id for port in seen.ports) for one in seen.networks}
    for network_id, count in rest.items():
        if count > 0 and boxes[network_id].column != _OUTSIDE:
            boxes[f"more-{network_id}"] = _more(network_id, count)
    _place(seen, boxes, by_server)
    bottom = max((box.y + box.height for box in boxes.values()), default=_MARGIN)
    width = 2 * _MARGIN + 4 * (BOX_WIDTH + _GAP_X) - _GAP_X
    titles = tuple((_MARGIN + column * (BOX_WIDTH + _GAP_X), title) for column, title in enumerate(TITLES))
    return Picture(width, bottom + _MARGIN, tuple(boxes.values()), tuple(_lines(seen, boxes)), titles)


def _box(key: str, kind: str, tone: str, name: str, lines: Iterable[str], **more: object) -> Box:
    written = [line for line in lines if line]
    return Box(key, kind, tone, _short(name, _CHARACTERS - 6), tuple(_short(line) for line in written),
               whole=(name, *written), **more)  # type: ignore[arg-type]  # page, pk and column


def _network(one: NetworkSeen) -> Box:
    column = _OUTSIDE if one.is_external else _NETWORKS
    state = "" if one.is_up else "switched off"
    return _box(one.id, "network", "busy" if one.is_up else "bad", one.name, (one.carrier, *one.cidrs, state),
                page="networks_network", pk=one.id, column=column)


def _router(one: RouterSeen) -> Box:
    tone = "good" if one.is_up and one.host else "bad"
    where = f"on {one.host}" if one.host else "on no host"
    addresses = [address for leg in one.legs if leg.is_gateway for address in leg.addresses]
    return _box(one.id, "router", tone, one.name, (where, *addresses, "" if one.is_up else "switched off"),
                page="networks_router", pk=one.id, column=_ROUTERS)


def _server(device_id: str, ports: Sequence[PortSeen], server: ServerSeen | None) -> Box:
    led = [f"{fixed} ⇄ {floating}" if floating else fixed for port in ports for fixed, floating in port.addresses]
    if server is None:
        return _box(device_id, "server", "bad", device_id, ("unknown", *led), column=_SERVERS)
    where = f"{server.status}{f' on {server.host}' if server.host else ''}"
    return _box(device_id, "server", server.tone, server.name, (where, *led), page="compute_instance",
                pk=str(server.pk), column=_SERVERS)


def _more(network_id: str, count: int) -> Box:
    return _box(f"more-{network_id}", "more", "plain", f"and {count} more", (), column=_SERVERS)


def _place(seen: Topology, boxes: dict[str, Box], by_server: Mapping[str, Sequence[PortSeen]]) -> None:
    """Put each network beside its servers, routers beside their networks, and the outside beside its routers."""
    y, placed = _MARGIN + _TOP, set[str]()
    for network in seen.networks:
        mine = [key for key, ports in by_server.items()
                if key not in placed and any(port.network_id == network.id for port in ports)]
        mine += [key for key in (f"more-{network.id}",) if key in boxes]
        placed.update(mine)
        beside = _stack([boxes[key] for key in mine], y)
        box = boxes[network.id]
        if box.column == _NETWORKS:
            box.y = max(y, (y + beside - _GAP_Y - box.height) // 2)
            y = max(beside, box.y + box.height + _GAP_Y)
        else:
            y = beside
    routers = {one.id: [leg.network_id for leg in one.legs if not leg.is_gateway] for one in seen.routers}
    _settle(boxes, routers)
    outside = {one.id: [router.id for router in seen.routers for leg in router.legs if leg.network_id == one.id]
               for one in seen.networks if one.is_external}
    _settle(boxes, outside)


def _stack(column: Sequence[Box], y: int) -> int:
    for box in column:
        box.y = y
        y += box.height + _GAP_Y
    return y


def _settle(boxes: Mapping[str, Box], partners: Mapping[str, Sequence[str]]) -> None:
    """Put boxes as near as can be to the middle of what they belong to, none over another."""
    wished = {
        key: sum(boxes[one].middle for one in beside if one in boxes) // max(len(beside), 1) - boxes[key].height // 2
        for key, beside in partners.items()
    }
    y = _MARGIN + _TOP
    for key in sorted(wished, key=lambda one: wished[one]):
        boxes[key].y = max(y, wished[key])
        y = boxes[key].y + boxes[key].height + _GAP_Y


def _lines(seen: Topology, boxes: Mapping[str, Box]) -> Iterable[Line]:
    for router in seen.routers:
        for leg in router.legs:
            if leg.network_id in boxes:
                words = f"{router.name} in {boxes[leg.network_id].name}: {', '.join(leg.addresses)}"
                tone = "good" if router.is_up and router.host else "bad"
                yield Line(_curve(boxes[leg.network_id], boxes[router.id]), tone, words)
    for port in seen.ports:
        tone = {"ACTIVE": "good"}.get(port.status, "plain") if port.is_up else "bad"
        words = f"port {port.id}, {port.status}, {', '.join(fixed for fixed, _ in port.addresses)}"
        yield Line(_curve(boxes[port.network_id], boxes[port.device_id]), tone, words)


def _curve(one: Box, other: Box) -> str:
    left, right = sorted((one, other), key=lambda box: box.column)
    x1, x2 = left.x + BOX_WIDTH, right.x
    half = (x1 + x2) // 2
    return f"M{x1} {left.middle} C{half} {left.middle} {half} {right.middle} {x2} {right.middle}"


def _short(text: str, characters: int = _CHARACTERS) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
