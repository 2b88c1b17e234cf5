"""`--tls auto`: a private certificate authority and a server certificate, under `tls/` in the data folder.

Rule: the authority stays, because clients were told to trust it; the certificate is made anew whenever it comes near
its end or the server answers under other names. Private keys are PKCS#8 with mode 0600.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from portside.server.errors import Refused
from portside.server.files import write_whole
from portside.server.settings import WILDCARDS, Settings

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 397
"""The longest that browsers and Apple's libraries accept from any authority."""
RENEWAL = timedelta(days=30)
_SKEW = timedelta(hours=1)
"""How far behind ours a client's clock may be."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files that TLS is served from."""

    chain: Path
    key: Path
    authority: Path | None
    """What clients have to be told to trust; None for a certificate of the operator's own."""


@dataclass(frozen=True, slots=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def names(settings: Settings) -> tuple[str, ...]:
    """Every host name and address that clients may call the server by."""
    found = ["localhost", "127.0.0.1", "::1"]
    if settings.host not in WILDCARDS:
        found.append(settings.host)
    template = _without_port(settings.host_names.template)
    for region in settings.regions:
        name = template.replace("{region}", region)
        # One label may be a wildcard, and only the first.
        found.append(("*" if name.startswith("{account}.") else settings.account).join(name.split("{account}")))
        if settings.domain:
            ending = f"{region}.{settings.domain}"
            found += [f"{service}.{ending}" for service in ("*.dkr.ecr", "*.dkr-ecr", "api.ecr", "ecr", "sts", "iam")]
    return tuple(dict.fromkeys(name.lower() for name in found))


def ensure(folder: Path, hosts: Sequence[str], now: datetime) -> Certificate:
    """Make what is missing or too old under `folder`; raises Refused and OSError."""
    folder.mkdir(mode=0o755, exist_ok=True)
    files = Certificate(folder / "server.crt", folder / "server.key", folder / "ca.crt")
    authority = _load(folder / "ca.crt", folder / "ca.key")
    if authority is None or authority.certificate.not_valid_after_utc - now < RENEWAL:
        authority = _make_authority(now)
        _keep(authority, folder / "ca.crt", folder / "ca.key")
    served = _load(files.chain, files.key)
    if served is None or not _is_good(served, authority, hosts, now):
        _keep(_issue(authority, hosts, now), files.chain, files.key)
    return files


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1 : host.index("]")]
    return host.split(":", maxsplit=1)[0]


def _load(certificate: Path, key: Path) -> _Pair | None:
    if not certificate.exists() or not key.exists():
        return None
    try:
        found = serialization.load_pem_private_key(key.read_bytes(), None)
        pair = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (ValueError, TypeError):
        raise Refused(
            f"tls: {certificate} or its key is damaged; delete the folder {certificate.parent} to make new ones."
        ) from None
    # A crash between writing the two leaves halves that do not belong together: as good as nothing.
    if not isinstance(found, ec.EllipticCurvePrivateKey) or found.public_key() != pair.public_key():
        return None
    return _Pair(pair, found)


def _is_good(served: _Pair, authority: _Pair, hosts: Sequence[str], now: datetime) -> bool:
    certificate = served.certificate
    if certificate.not_valid_after_utc - now < RENEWAL or certificate.issuer != authority.certificate.subject:
        return False
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value == _alternatives(hosts)


def _make_authority(now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    # A name of its own each time: clients find an issuer by name, and old ones may still be trusted somewhere.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Portside private authority {token_hex(4)}")])
    builder = _builder(name, name, key, now, AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    return _Pair(builder.sign(key, hashes.SHA256()), key)


def _issue(authority: _Pair, hosts: Sequence[str], now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Portside")])
    builder = _builder(name, authority.certificate.subject, key, now, CERTIFICATE_DAYS)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(issuer, critical=False)
    builder = builder.add_extension(_alternatives(hosts), critical=False)
    return _Pair(builder.sign(authority.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _alternatives(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general(host) for host in hosts])


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _keep(pair: _Pair, certificate: Path, key: Path) -> None:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    write_whole(key, pair.key.private_bytes(encoding, form, serialization.NoEncryption()), mode=0o600)
    write_whole(certificate, pair.certificate.public_bytes(encoding), mode=0o644)
