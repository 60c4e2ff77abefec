"""Encryption of a package to the laboratory that receives it: X25519, HKDF and ChaCha20-Poly1305 in chunks.

The scheme is that of age (https://age-encryption.org/v1) for one recipient, without its list of recipients:

- The sender makes an X25519 key (RFC 7748) for this file alone, and agrees on a secret with the recipient's public key.
- HKDF-SHA256 (RFC 5869) makes the file's key of it; salt: both public keys, info: the file's first line.
- The content goes into chunks of 64 KiB, each encrypted and authenticated by ChaCha20-Poly1305 (RFC 8439). The nonce is
  the number of the chunk in 11 bytes and a byte that is 1 for the last: that a chunk was left out or put elsewhere, or
  the file cut, is found out (STREAM, doi:10.1007/978-3-662-47989-6_24).

File: the line `MAGIC`, 32 bytes of the sender's key for this file, the chunks. Who sent it is said by the signature of
what is inside, which also names the recipient: nobody can pass a package on as if it were meant for another laboratory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.records import identifier_of, read_private, write_private

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

MAGIC = b"ballistics/encrypted/1\n"
CHUNK_BYTES = 1 << 16
_KEY_SCHEMA = "ballistics/opening-key"
_TAG_BYTES = 16
_PUBLIC_BYTES = 32


@dataclass(frozen=True)
class OpeningKey:
    """A laboratory's key that opens what partners encrypt for it; never printed or logged.

    Parameters
    ----------
    private : X25519PrivateKey
        Of the package `cryptography`.
    """

    private: X25519PrivateKey

    def __repr__(self) -> str:
        return f"OpeningKey({identifier_of(self.public)[:12]}…)"

    @property
    def public(self) -> bytes:
        """The public half, 32 bytes."""
        return self.private.public_key().public_bytes_raw()


def make_opening_key(path: Path, passphrase: str) -> OpeningKey:
    """Make a key that opens packages, and write it to a file, encrypted; errors as of `ballistics.records.make_key`."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    key = OpeningKey(X25519PrivateKey.generate())
    write_private(path, key.private, passphrase, _KEY_SCHEMA)
    return key


def read_opening_key(path: Path, passphrase: str) -> OpeningKey:
    """Read a key that opens packages; errors as of `ballistics.records.read_key`."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    what = "a key that opens packages; `ballistics exchange key` makes one"
    private = read_private(path, passphrase, _KEY_SCHEMA, what)
    if not isinstance(private, X25519PrivateKey):
        raise CorruptFileError(f"{path} holds a key of another kind")
    return OpeningKey(private)


def is_encrypted(path: Path) -> bool:
    """Return whether a file begins as an encrypted one."""
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def encrypt(source: BinaryIO, target: BinaryIO, recipient: bytes) -> None:
    """Encrypt a file to a recipient.

    Parameters
    ----------
    source, target : binary file
        Open for reading, and for writing; read and written chunk by chunk.
    recipient : bytes
        The public half of the recipient's `OpeningKey`, 32 bytes.

    Raises
    ------
    ParameterError
        When that is not a public key.
    """
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    own = X25519PrivateKey.generate()
    public = own.public_key().public_bytes_raw()
    try:
        secret = own.exchange(X25519PublicKey.from_public_bytes(recipient))
    except ValueError as error:
        raise ParameterError(f"the recipient's public key cannot be used: {error}") from error
    cipher = ChaCha20Poly1305(_file_key(secret, public, recipient))
    target.write(MAGIC + public)
    for number, (chunk, last) in enumerate(_chunks(source, CHUNK_BYTES)):
        target.write(cipher.encrypt(_nonce(number, last), chunk, None))


def decrypt(source: BinaryIO, target: BinaryIO, key: OpeningKey, where: str) -> None:
    """Decrypt a file; what a chunk says is written only after it was authenticated.

    Parameters
    ----------
    source, target : binary file
        Open for reading, and for writing.
    key : OpeningKey
        The recipient's.
    where : str
        The file's name, for messages.

    Raises
    ------
    CorruptFileError
        When it is not encrypted for this key, was altered or cut; what was written until then must not be used.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    if source.read(len(MAGIC)) != MAGIC:
        raise CorruptFileError(f"{where} is not encrypted as packages are")
    public = source.read(_PUBLIC_BYTES)
    try:
        secret = key.private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as error:
        raise CorruptFileError(f"{where} is damaged: {error}") from error
    cipher = ChaCha20Poly1305(_file_key(secret, public, key.public))
    for number, (chunk, last) in enumerate(_chunks(source, CHUNK_BYTES + _TAG_BYTES)):
        try:
            target.write(cipher.decrypt(_nonce(number, last), chunk, None))
        except InvalidTag:
            raise CorruptFileError(
                f"{where} does not open: "
                + (
                    f"it was altered or cut at byte {number * CHUNK_BYTES} of its content; ask for it again"
                    if number
                    else "it is encrypted for another key, or was altered; ask for it again, encrypted for this one"
                )
            ) from None


def _chunks(file: BinaryIO, length: int) -> Iterator[tuple[bytes, bool]]:
    chunk = file.read(length)
    while True:
        following = file.read(length) if len(chunk) == length else b""
        yield chunk, not following
        if not following:
            return
        chunk = following


def _file_key(secret: bytes, sender: bytes, recipient: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=32, salt=sender + recipient, info=MAGIC).derive(secret)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
