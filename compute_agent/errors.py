"""What can go wrong on a host. Each class names the code that the conductor is told."""

from typing import ClassVar

from contracts.errors import ErrorCode


class AgentError(Exception):
    """An order could not be carried out; the text is for operators."""

    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL


class OrderRefused(AgentError):
    """The order is for another host, too late, or of an attempt that a newer one has replaced."""

    code = ErrorCode.ORDER_REFUSED


class DriverError(AgentError):
    """The hypervisor refused or failed."""

    code = ErrorCode.HYPERVISOR_ERROR


class DomainNotFound(DriverError):
    """There is no such domain on this host."""

    code = ErrorCode.INSTANCE_NOT_FOUND


class ImageUnavailable(AgentError):
    """The image could not be fetched."""

    code = ErrorCode.IMAGE_UNAVAILABLE


class ImageCorrupt(AgentError):
    """The bytes do not match the checksum, or are not of the declared format."""

    code = ErrorCode.IMAGE_CORRUPT


class DiskTooSmall(AgentError):
    """The image's virtual size is larger than the disk asked for."""

    code = ErrorCode.DISK_TOO_SMALL


class DiskMissing(AgentError):
    """A disk that should be on the host is not there."""

    code = ErrorCode.DISK_MISSING


class TransferFailed(AgentError):
    """A disk could not be sent or fetched, or did not arrive as it was sent."""

    code = ErrorCode.TRANSFER_FAILED


class HostDiskFull(AgentError):
    """No space is left for the image or the disk."""

    code = ErrorCode.HOST_DISK_FULL


class VifPlugFailed(AgentError):
    """A tap, bridge, DHCP reservation or route could not be made."""

    code = ErrorCode.VIF_PLUG_FAILED


class Poison(AgentError):
    """The order was begun by several processes, one after the other, and none of them lived to see its end."""

    code = ErrorCode.POISON


class DeadlineExceeded(AgentError):
    """The order could not be ended within the time that it had."""

    code = ErrorCode.DEADLINE_EXCEEDED
