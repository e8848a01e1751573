"""Call every command of every hostile file within a network namespace, beside a host that listens in another one.

``python called_offline.py FOLDER DATA RUN SUBMISSION`` prints, as JSON, the connections that a call of the test's own
made, those of all hostile files, and the packets of the latter. To be started by ``unshare`` with a network of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE, THERE, PORT = "192.0.2.1", "192.0.2.77", 80

LISTENER = """
import socket, subprocess, sys, threading
sys.stdin.readline()
for words in ("link set lo up", "addr add 192.0.2.77/24 dev inside", "link set inside up",
              "neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev inside nud permanent"):
    subprocess.run(["ip", *words.split()], check=True)
server, accepted = socket.create_server(("192.0.2.77", 80)), []
def accept():
    while True:
        connection, _ = server.accept()
        accepted.append(connection)
threading.Thread(target=accept, daemon=True).start()
print("ready", flush=True)
for _ in sys.stdin:
    # /sys shows the interfaces of the network that it was mounted in, /proc those of this process.
    counters = next(line for line in open("/proc/net/dev") if line.strip().startswith("inside:"))
    print(len(accepted), counters.partition(":")[2].split()[1], flush=True)
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


class OtherHost:
    """A host in a network namespace of its own, to which every address is routed."""

    def __init__(self) -> None:
        # Without IPv6 an interface that is brought up sends nothing of its own accord, so that packets can be counted.
        Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
        words = ["unshare", "-n", sys.executable, "-c", LISTENER]
        self._listener = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ip("link", "set", "lo", "up")
        pair = "link add outside address 02:00:00:00:00:01 type veth peer name inside address 02:00:00:00:00:02"
        ip(*pair.split())
        ip("link", "set", "inside", "netns", str(self._listener.pid))
        ip("addr", "add", f"{HERE}/24", "dev", "outside")
        ip("link", "set", "outside", "up")
        self._ask("go")
        # Neighbours that are known for ever: otherwise ARP asks again some seconds later, and its packets are counted.
        ip("neigh", "add", THERE, "lladdr", "02:00:00:00:00:02", "dev", "outside", "nud", "permanent")
        ip("route", "add", "default", "via", THERE)

    def counted(self) -> tuple[int, int]:
        """Return the connections and the packets that came to it."""
        connections, packets = self._ask("count").split()
        return int(connections), int(packets)

    def _ask(self, line: str) -> str:
        assert self._listener.stdin is not None
        assert self._listener.stdout is not None
        self._listener.stdin.write(line + "\n")
        self._listener.stdin.flush()
        return self._listener.stdout.readline()

    def close(self) -> None:
        self._listener.kill()
        self._listener.wait()


def main() -> None:
    import socket
    import time

    from calling_quietly import call
    from hostile_files import CASES, Address, Materials

    folder, *right = map(Path, sys.argv[1:])
    other = OtherHost()
    socket.create_connection((THERE, PORT), 5).close()
    # The handshake and the end of the test's own connection are over before packets are counted.
    time.sleep(0.5)
    own, packets = other.counted()
    address, crashed = Address(THERE, PORT), []
    for kind, makes in CASES.items():
        for number, (name, make) in enumerate(makes.items()):
            place = folder / f"{kind}-{number}"
            place.mkdir()
            for words in make(place, address, Materials(*right)):
                code, output = call(words)
                if code not in (0, 1, 2):
                    crashed.append([kind, name, output])
    connections, all_packets = other.counted()
    other.close()
    print(json.dumps({"own": own, "hostile": connections - own, "packets": all_packets - packets, "crashed": crashed}))


if __name__ == "__main__":
    main()
