"""Error codes that cross the wire, and the sentence that a tenant may read for each."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Why an order or an operation failed."""

    NO_VALID_HOST = "NoValidHost"
    CLAIM_CONFLICT = "ClaimConflict"
    IMAGE_UNAVAILABLE = "ImageUnavailable"
    IMAGE_CORRUPT = "ImageCorrupt"
    DISK_TOO_SMALL = "DiskTooSmall"
    DISK_MISSING = "DiskMissing"
    TRANSFER_FAILED = "TransferFailed"
    HOST_DISK_FULL = "HostDiskFull"
    VIF_PLUG_FAILED = "VifPlugFailed"
    HYPERVISOR_ERROR = "HypervisorError"
    INSTANCE_NOT_FOUND = "InstanceNotFound"
    ORDER_REFUSED = "OrderRefused"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    NETWORK_EXHAUSTED = "NoMoreFixedIps"
    HOST_NOT_FENCED = "HostNotFenced"
    SUPERSEDED = "Superseded"
    POISON = "Poison"
    INTERNAL = "Internal"


TENANT_TEXT: dict[str, str] = {
    ErrorCode.NO_VALID_HOST: "No valid host was found.",
    ErrorCode.CLAIM_CONFLICT: "The chosen host filled up before the server could be placed.",
    ErrorCode.IMAGE_UNAVAILABLE: "The image could not be fetched by the host.",
    ErrorCode.IMAGE_CORRUPT: "The image does not match its checksum or declared format.",
    ErrorCode.DISK_TOO_SMALL: "The flavor's disk is too small for the image.",
    ErrorCode.DISK_MISSING: "A disk of the server is missing on its host.",
    ErrorCode.TRANSFER_FAILED: "The server's disk could not be transferred.",
    ErrorCode.HOST_DISK_FULL: "The host ran out of disk space.",
    ErrorCode.VIF_PLUG_FAILED: "The server's network port could not be plugged.",
    ErrorCode.HYPERVISOR_ERROR: "The hypervisor could not carry out the request.",
    ErrorCode.INSTANCE_NOT_FOUND: "The server is not on its host.",
    ErrorCode.ORDER_REFUSED: "The host refused an order that was late or meant for another host.",
    ErrorCode.DEADLINE_EXCEEDED: "The host did not answer in time.",
    ErrorCode.NETWORK_EXHAUSTED: "No more fixed IP addresses are available on the network.",
    ErrorCode.HOST_NOT_FENCED: "The server's host is not known to be off any more.",
    ErrorCode.SUPERSEDED: "Another request took its place.",
    ErrorCode.POISON: "Whatever tried to carry it out broke down, again and again.",
    ErrorCode.INTERNAL: "An internal error occurred.",
}

# A build that failed for one of these on one host may well succeed on another.
RETRY_ELSEWHERE: frozenset[str] = frozenset({
    ErrorCode.CLAIM_CONFLICT, ErrorCode.IMAGE_UNAVAILABLE, ErrorCode.HOST_DISK_FULL, ErrorCode.VIF_PLUG_FAILED,
    ErrorCode.HYPERVISOR_ERROR, ErrorCode.DEADLINE_EXCEEDED, ErrorCode.ORDER_REFUSED, ErrorCode.INTERNAL,
})


class RemoteFault(Exception):
    """A failure that crosses the wire. Positional, JSON-friendly arguments only, so that Celery carries it whole."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
