"""Operators' keys: Ed25519, the private half encrypted with a passphrase, the public half recorded in the log."""

from __future__ import annotations

import hashlib
import json
import secrets
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ballistics.errors import CorruptFileError, ParameterError, WriteError
from ballistics.files import load_json, reason, write_whole

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

SCHEMA, VERSION = "ballistics/key", 2
#: Shorter passphrases are refused.
LEAST_CHARACTERS = 12
# scrypt (RFC 7914) by the version of the file: a guess costs 128 MiB and a third of a second (OWASP's advice), until
# version 1 64 MiB. Others than these are refused when a key is read, so that a strange file cannot ask for all memory.
_SCRYPT = {1: {"n": 1 << 16, "r": 8, "p": 1}, 2: {"n": 1 << 17, "r": 8, "p": 1}}
_MOST_MEMORY = 1 << 28
# AES-256-GCM (NIST SP 800-38D): what was altered does not open. The key of each file is its own, by its salt.
_CIPHER, _NONCE_BYTES = "AES-256-GCM", 12
_MOST_BYTES = 1 << 16


@dataclass(frozen=True)
class SigningKey:
    """A key that can sign; never written down, printed or logged.

    Parameters
    ----------
    private : Ed25519PrivateKey
        Of the package `cryptography`.
    """

    private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"SigningKey({self.identifier[:12]}…)"

    @property
    def public(self) -> bytes:
        """The public half, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def identifier(self) -> str:
        """By which the log names the key: SHA-256 of its public half."""
        return identifier_of(self.public)

    def sign(self, hash_hex: str) -> str:
        """Return the signature of an entry's hash, as 128 hexadecimal digits."""
        return self.private.sign(bytes.fromhex(hash_hex)).hex()


def identifier_of(public: bytes) -> str:
    """Return by which name the log knows a public key."""
    return hashlib.sha256(public).hexdigest()


def is_signed(public: bytes, hash_hex: str, signature_hex: str) -> bool:
    """Return whether a signature is that of a hash by the owner of a public key.

    Parameters
    ----------
    public : bytes
        The public half of the key, 32 bytes.
    hash_hex, signature_hex : str
        As entries and their rows hold them.
    """
    from cryptography.exceptions import InvalidSignature

    try:
        _public_key(public).verify(bytes.fromhex(signature_hex), bytes.fromhex(hash_hex))
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(256)
def _public_key(public: bytes) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(public)


def make_key(path: Path, passphrase: str) -> SigningKey:
    """Make a key and write it to a file, encrypted.

    Raises
    ------
    ParameterError
        When the passphrase is shorter than `LEAST_CHARACTERS`.
    WriteError
        When the file exists or cannot be written.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = SigningKey(Ed25519PrivateKey.generate())
    write_private(path, key.private, passphrase, SCHEMA)
    return key


def read_key(path: Path, passphrase: str) -> SigningKey:
    """Read a key.

    Raises
    ------
    ReadError
        When there is no such file.
    CorruptFileError
        When it is not the file of a key.
    ParameterError
        When the passphrase is not that of the key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = read_private(path, passphrase, SCHEMA, "the key of an operator; `ballistics case key` makes one")
    if not isinstance(private, Ed25519PrivateKey):
        raise CorruptFileError(f"{path} holds a key of another kind")
    return SigningKey(private)


def write_private(path: Path, private: Ed25519PrivateKey | X25519PrivateKey, passphrase: str, schema: str) -> None:
    """Write a private key to a file, encrypted with a passphrase.

    Parameters
    ----------
    path : Path
        A file that does not exist; its folder is made.
    private : Ed25519PrivateKey or X25519PrivateKey
        Of the package `cryptography`.
    passphrase : str
        Of `LEAST_CHARACTERS` characters at least.
    schema : str
        What the file says it is.

    Raises
    ------
    ParameterError
        When the passphrase is too short.
    WriteError
        When the file exists or cannot be written.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    if len(passphrase) < LEAST_CHARACTERS:
        raise ParameterError(f"the passphrase is too short: choose one of {LEAST_CHARACTERS} characters or more")
    if path.exists():
        raise WriteError(f"{path} exists: a key is never written over, choose another name")
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(_NONCE_BYTES)
    public = private.public_key().public_bytes_raw().hex()
    cipher = AESGCM(_stretched(passphrase, salt, VERSION))
    data = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    content = {
        "schema": schema,
        "version": VERSION,
        "public": public,
        "scrypt": {**_SCRYPT[VERSION], "salt": salt.hex()},
        "cipher": _CIPHER,
        "nonce": nonce.hex(),
        "private": cipher.encrypt(nonce, data, _bound(schema, public)).hex(),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{path.parent} cannot be made: {reason(error)}; choose another folder") from error
    write_whole(path, (json.dumps(content, indent=1) + "\n").encode(), overwrite=False, mode=0o600)


def read_private(path: Path, passphrase: str, schema: str, what: str) -> Any:
    """Read a private key that `write_private` wrote; its kind is the caller's to check.

    Parameters
    ----------
    path : Path
        The file.
    passphrase : str
        By which it was encrypted.
    schema : str
        What the file says it is.
    what : str
        What it should be, and what makes it, for messages.

    Raises
    ------
    ReadError, CorruptFileError, ParameterError
        As of `read_key`.
    """
    content = load_json(path, what.partition(";")[0], most_bytes=_MOST_BYTES)
    if not isinstance(content, dict) or content.get("schema") != schema or content.get("version") not in _SCRYPT:
        raise CorruptFileError(f"{path} is not {what}")
    version = content["version"]
    try:
        stretching = dict(content["scrypt"])
        salt = bytes.fromhex(stretching.pop("salt"))
        public, is_known = str(content["public"]), stretching == _SCRYPT[version]
        if version == 1:
            sealed, nonce = content["private"].encode(), b""
        else:
            sealed, nonce = bytes.fromhex(content["private"]), bytes.fromhex(content["nonce"])
            is_known = is_known and content["cipher"] == _CIPHER and len(nonce) == _NONCE_BYTES
    except (KeyError, TypeError, ValueError, AttributeError):
        raise CorruptFileError(f"{path} is damaged: take the copy that you keep elsewhere") from None
    if not is_known:
        raise CorruptFileError(f"{path} protects the key in a way that this program does not use")
    stretched = _stretched(passphrase, salt, version)
    private = _opened_pem(sealed, stretched) if version == 1 else _opened(sealed, stretched, nonce, schema, public)
    if private is None:
        raise ParameterError(f"{path} does not open: the passphrase is not that of this key, or the file was altered")
    half = private.public_key()
    if not hasattr(half, "public_bytes_raw") or half.public_bytes_raw().hex() != public:
        raise CorruptFileError(f"{path} is damaged: its two halves do not belong together")
    return private


def _opened(sealed: bytes, stretched: bytes, nonce: bytes, schema: str, public: str) -> Any:
    from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        return load_der_private_key(AESGCM(stretched).decrypt(nonce, sealed, _bound(schema, public)), None)
    except (InvalidTag, ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _opened_pem(sealed: bytes, stretched: bytes) -> Any:
    """Open the private half as version 1 of the file has it: in PKCS8, encrypted by `cryptography`'s own writer."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(sealed, stretched.hex().encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _bound(schema: str, public: str) -> bytes:
    # What the file says it is cannot be changed without the passphrase either.
    return f"{schema} {VERSION} {public}".encode()


def _stretched(passphrase: str, salt: bytes, version: int) -> bytes:
    try:
        # Keyboards and systems compose letters differently: "ë" of one letter, or of two.
        typed = unicodedata.normalize("NFC", passphrase).encode()
    except UnicodeError:
        raise ParameterError("the passphrase holds characters that are not Unicode") from None
    return hashlib.scrypt(typed, salt=salt, maxmem=_MOST_MEMORY, dklen=32, **_SCRYPT[version])
