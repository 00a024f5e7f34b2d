"""Signatures: stock OpenSSH accepts ours, we accept its, and nothing that was changed, misshaped or made for something else."""

from __future__ import annotations

import base64
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fimforensics.errors import Problem
from fimforensics.evidence import keys, sshsig

SSH_KEYGEN = shutil.which("ssh-keygen")
MESSAGE = b'{"statement":"fimforensics seal"}'
needs_openssh = pytest.mark.skipif(SSH_KEYGEN is None, reason="needs ssh-keygen")


def openssh(*arguments: object, given: bytes = b"") -> subprocess.CompletedProcess:
    return subprocess.run([str(SSH_KEYGEN), *map(str, arguments)], input=given, capture_output=True)


@needs_openssh
@pytest.mark.parametrize("passphrase", [b"", "p\u00e4ss word".encode()])
def test_openssh_accepts_our_signature_and_opens_our_key(tmp_path: Path, passphrase: bytes) -> None:
    made = keys.make(tmp_path / "key", passphrase)
    assert os.name != "posix" or stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    (tmp_path / "sig").write_text(sshsig.sign(keys.load(tmp_path / "key", lambda: passphrase), MESSAGE))
    (tmp_path / "allowed").write_text(sshsig.allowed(made) + "\n")
    line = ("-Y", "verify", "-f", tmp_path / "allowed", "-I", sshsig.PRINCIPAL, "-n", sshsig.NAMESPACE, "-s", tmp_path / "sig")
    assert openssh(*line, given=MESSAGE).returncode == 0
    assert openssh(*line, given=MESSAGE + b" ").returncode != 0
    shown = openssh("-y", "-P", passphrase.decode(), "-f", tmp_path / "key").stdout.decode().split()[:2]
    assert " ".join(shown) == made.public


@needs_openssh
def test_we_accept_openssh_s_key_and_signature(tmp_path: Path) -> None:
    openssh("-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key")
    (tmp_path / "message").write_bytes(MESSAGE)
    openssh("-Y", "sign", "-f", tmp_path / "key", "-n", sshsig.NAMESPACE, tmp_path / "message")
    theirs = (tmp_path / "message.sig").read_text()
    key = keys.load(tmp_path / "key", lambda: b"")
    assert sshsig.check(theirs, MESSAGE) == sshsig.signer(key.public_key())
    assert sshsig.sign(key, MESSAGE) == theirs
    assert openssh("-l", "-f", tmp_path / "key").stdout.decode().split()[1] == sshsig.signer(key.public_key()).fingerprint
    openssh("-Y", "sign", "-f", tmp_path / "key", "-n", "file", tmp_path / "key.pub")
    with pytest.raises(Problem, match="for something else"):
        sshsig.check((tmp_path / "key.pub.sig").read_text(), (tmp_path / "key.pub").read_bytes())


def test_every_changed_byte_of_a_signature_is_noticed() -> None:
    key = Ed25519PrivateKey.generate()
    armoured = sshsig.sign(key, MESSAGE)
    blob = bytearray(base64.b64decode("".join(armoured.splitlines()[1:-1])))
    for at in range(len(blob)):
        changed = bytes(byte ^ (1 if place == at else 0) for place, byte in enumerate(blob))
        text = "\n".join([armoured.splitlines()[0], base64.b64encode(changed).decode(), armoured.splitlines()[-1]])
        with pytest.raises(Problem):
            sshsig.check(text, MESSAGE)
    for text in ("", armoured[:-40], armoured + armoured, armoured.replace("SSH", "SHH"), "x" * 20_000):
        with pytest.raises(Problem, match="no Ed25519 signature"):
            sshsig.check(text, MESSAGE)


def test_keys_that_cannot_be_used_are_told_in_one_line(tmp_path: Path) -> None:
    keys.make(tmp_path / "locked", b"right")
    (tmp_path / "none").write_text("no key")
    (tmp_path / "open").write_bytes((tmp_path / "locked").read_bytes())
    (tmp_path / "none").chmod(0o600)
    (tmp_path / "open").chmod(0o644)
    for name, told in (("locked", "passphrase"), ("none", "no private key"), ("absent", "cannot be read"), ("open", "by others")):
        if name != "open" or os.name == "posix":
            with pytest.raises(Problem, match=told):
                keys.load(tmp_path / name, lambda: b"wrong")
    with pytest.raises(Problem, match="cannot be written"):
        keys.make(tmp_path / "locked", b"")
