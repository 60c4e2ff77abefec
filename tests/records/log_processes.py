"""A process of its own that forks writers of one log: python log_processes.py FOLDER DATABASE PROCESSES EACH KEY.

Every writer opens the database anew and records as fast as it can; it tells each entry when it is acknowledged.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ballistics.records import Log, SigningKey
from ballistics.store import open_database


def write(folder: Path, database: str, writer: int, each: int, key: SigningKey, out: int) -> None:
    log = Log(open_database(folder, database), "the log")
    for number in range(each):
        entry = log.append(key, "item", f"{writer}-{number}", {"by": writer}, case=f"C-{number % 3}")
        os.write(out, f"{entry.number} {entry.hash} {entry.record}\n".encode())


def main(folder: Path, database: str, processes: int, each: int, key: SigningKey) -> None:
    read, out = os.pipe()
    children = []
    for writer in range(processes):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                write(folder, database, writer, each, key, out)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    os.close(out)
    with os.fdopen(read, "rb") as pipe:
        sys.stdout.write(pipe.read().decode())
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))


if __name__ == "__main__":
    own = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(sys.argv[5])))
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), own)
