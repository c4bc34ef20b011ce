"""Have the host's networks as the control plane's document says."""

import http.client
import urllib.error
import urllib.request

import msgspec

from compute_agent.errors import OrderRefused, TransferFailed
from compute_agent.host import Host
from contracts.networks import HostNetworks, NetworksApplied, SyncNetworks

_TIMEOUT_SECONDS = 20.0
_LARGEST_BYTES = 64 * 1024 * 1024
_UNREACHABLE = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)
# No proxy of the environment: who answers is part of the cloud.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def sync_networks(host: Host, order: SyncNetworks) -> NetworksApplied:
    """Fetch what this host does not have yet, and apply it, unless it has been here already.

    Raises:
        TransferFailed: the document could not be fetched. OrderRefused: it is another host's.
    """
    with host.network.syncing(order.not_after - host.clock()):
        if host.network.applied_version() < order.version:
            document = fetch(order.url, host.network.known())
            if document.host != host.name:
                raise OrderRefused(f"the document is for host {document.host!r}")
            host.network.apply(document)
        return NetworksApplied(version=host.network.applied_version())


def fetch(url: str, known: dict[str, dict[str, str]]) -> HostNetworks:
    """Tell what is known and return the document, or the difference. The link is signed: it stays out of all texts."""
    if not url.startswith(("http://", "https://")):
        raise TransferFailed("documents travel over HTTP only")
    body = msgspec.json.encode({"known": known})
    request = urllib.request.Request(  # noqa: S310 - checked
        url, data=body, headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with _opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
            answer = response.read(_LARGEST_BYTES + 1)
    except urllib.error.HTTPError as exc:
        said = exc.read(500).decode(errors="replace")
        exc.close()
        raise TransferFailed(f"the networks' document was refused: {exc}: {said}") from exc
    except _UNREACHABLE as exc:
        raise TransferFailed(f"the networks' document could not be fetched: {exc}") from exc
    if len(answer) > _LARGEST_BYTES:
        raise TransferFailed(f"the networks' document has more than {_LARGEST_BYTES} bytes")
    try:
        return msgspec.json.decode(answer, type=HostNetworks)
    except msgspec.DecodeError as exc:
        raise TransferFailed(f"the networks' document cannot be read: {exc}") from exc
