"""Keys and certificates: making them and taking their fingerprints."""

import base64
import binascii
import hashlib
from datetime import timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_public_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from django.utils import timezone

from cloud.compute.errors import InvalidKeyPair
from cloud.core.formats import is_printable

SSH, X509 = "ssh", "x509"
_BITS = 2048
_CERTIFICATE_DAYS = 3650
_USER_PRINCIPAL_NAME = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_UTF8_STRING = 0x0C


class NewKey(NamedTuple):
    """A key just made; the private half is answered once and never kept."""

    private_key: str
    public_key: str


def fingerprint(kind: str, public_key: str) -> str:
    """Return the fingerprint as OpenStack shows it: MD5 of an SSH key, SHA-1 of a certificate, in pairs of digits.

    Raises:
        InvalidKeyPair: it is no such key.
    """
    digest = _certificate_digest(public_key) if kind == X509 else _ssh_digest(public_key)
    return digest.hex(":")


def generate(kind: str, user_id: str) -> NewKey:
    """Make a key pair, or a private key and a certificate with which Windows knows the user."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    if kind == X509:
        return NewKey(private, _certificate(key, user_id))
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return NewKey(private, f"{public} Generated-by-Novella")


def _ssh_digest(public_key: str) -> bytes:
    # One line, whatever stands in the comment: the text goes into the guest's authorized_keys as it is.
    if not is_printable(public_key.rstrip("\r\n")):
        raise InvalidKeyPair(reason="an SSH public key is a single line without control characters")
    try:
        load_ssh_public_key(public_key.encode())
        blob = base64.b64decode(public_key.split()[1], validate=True)
    except (ValueError, IndexError, UnsupportedAlgorithm, binascii.Error):
        raise InvalidKeyPair(reason="failed to generate fingerprint") from None
    return hashlib.md5(blob, usedforsecurity=False).digest()


def _certificate_digest(pem: str) -> bytes:
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise InvalidKeyPair(reason="failed to generate X509 fingerprint") from None
    return certificate.fingerprint(hashes.SHA1())  # noqa: S303  a name of the certificate, not a protection


def _certificate(key: rsa.RSAPrivateKey, user_id: str) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user_id)])
    principal = user_id.encode()[:100] + b"@localhost"
    now = timezone.now()
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=_CERTIFICATE_DAYS))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.OtherName(_USER_PRINCIPAL_NAME, bytes([_UTF8_STRING, len(principal)]) + principal)]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(Encoding.PEM).decode()
