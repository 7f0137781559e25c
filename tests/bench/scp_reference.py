"""scp to an sshd of our own on loopback: what somebody would copy a file with otherwise."""

import getpass
import os
import shutil
import subprocess
import time
from pathlib import Path

from tests.bench.reference_server import free_place

_READY_SECONDS = 10


class Scp:
    """An sshd with fresh keys on a free port, and the command that copies to it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        host, port = free_place()
        for name in ("host_key", "own_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        own = (folder / "own_key.pub").read_text()
        (folder / "authorized_keys").write_text(own)
        (folder / "known_hosts").write_text(f"[{host}]:{port} {(folder / 'host_key.pub').read_text()}")
        (folder / "sshd_config").write_text(
            f"ListenAddress {host}:{port}\nHostKey {folder}/host_key\nAuthorizedKeysFile {folder}/authorized_keys\n"
            f"PidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n"
        )
        Path("/run/sshd").mkdir(exist_ok=True)  # Debian's sshd wants it
        program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin") or "sshd"
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen([program, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
        self._copy = [
            *("scp", "-q", "-B", "-F", "none", "-P", str(port), "-i", str(folder / "own_key")),
            *("-o", f"UserKnownHostsFile={folder}/known_hosts"),
        ]
        self._target = f"{getpass.getuser()}@{host}:{folder}/copied"
        self._copied = folder / "copied"

    def wait_until_ready(self, file: Path) -> None:
        """Copy something small until it works."""
        until = time.monotonic() + _READY_SECONDS
        while subprocess.run([*self._copy, file, self._target], check=False, capture_output=True).returncode:
            if time.monotonic() > until:
                raise AssertionError("the sshd never answered")
            time.sleep(0.1)

    def seconds_for(self, file: Path) -> float:
        """Copy a file with a fresh command."""
        self._copied.unlink(missing_ok=True)
        os.sync()
        began = time.perf_counter()
        subprocess.run([*self._copy, file, self._target], check=True)
        taken = time.perf_counter() - began
        assert self._copied.stat().st_size == file.stat().st_size
        return taken

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
