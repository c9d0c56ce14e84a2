#!/usr/bin/env python3
"""Runs the Autobahn fuzzing client against the Console's leg of sessions at relay_host, with an echo
on the device's leg, and prints a summary. Called by bench/autobahn, which installs the suite.

The fuzzing client knows neither tickets nor our CA: a shim in this program takes its plain
connections, adds the ticket of a fresh session to each, and goes on over TLS. It changes nothing
else, so that every byte of the WebSocket is the relay's."""

import argparse
import asyncio
import json
import pathlib
import select
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading

import peers

GROUPS = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"]
SESSIONS = 1000
DEVICE_PATH = "/device-connector/device/portforwarding"
CONSOLE_PATH = "/console-connector/terminal"
# A folder of packages that is no site folder; zope's are found by its .pth files alone.
START = ("import site, sys; site.addsitedir(sys.argv[1]); sys.path.insert(0, sys.argv.pop(1)); "
         "from autobahntestsuite.wstest import run; run()")
TOO_BIG = 1009
# A lost TLS stream of asyncio also raises AttributeError.
GONE = (OSError, asyncio.IncompleteReadError, ssl.SSLError, AttributeError)
MOST_HELD = 1 << 20
LINGER_SECONDS = 5
GOOD = ("OK", "INFORMATIONAL", "NON-STRICT")


def frame(first_byte, payload):
    """A masked frame; the mask is zero, which is as good as any here."""
    size = len(payload)
    if size < 126:
        header = struct.pack(">BB", first_byte, 0x80 | size)
    elif size < 65536:
        header = struct.pack(">BBH", first_byte, 0x80 | 126, size)
    else:
        header = struct.pack(">BBQ", first_byte, 0x80 | 127, size)
    return header + b"\0\0\0\0" + payload


async def echo(reader, writer):
    """The device's leg: gives back every frame, fragments as they are."""
    answers = {8: 0x88, 9: 0x8a}
    try:
        await reader.readuntil(b"\r\n\r\n")
        while True:
            first, second = await reader.readexactly(2)
            size = second & 127
            if size == 126:
                size = struct.unpack(">H", await reader.readexactly(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", await reader.readexactly(8))[0]
            payload = await reader.readexactly(size)
            opcode = first & 15
            if opcode != 10:
                writer.write(frame(answers.get(opcode, first), payload))
                await writer.drain()
    except GONE:
        writer.close()


class TlsSocket:
    """TLS over a non-blocking socket that still gives what the peer said last when it takes no more,
    which Python's own classes do not."""

    def __init__(self, port, context):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.pending = b""
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.socket.sendall(self.outgoing.read())
                self.incoming.write(self.socket.recv(65536))
        self.socket.setblocking(False)

    def write(self, data):
        self.tls.write(data)
        self.flush()

    def flush(self):
        self.pending += self.outgoing.read()
        try:
            while self.pending:
                self.pending = self.pending[self.socket.send(self.pending):]
        except BlockingIOError:
            pass
        except OSError:
            self.pending = b""

    def read(self):
        """What has arrived; None at the end."""
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return b""
        except OSError:
            return None
        if not data:
            return None
        self.incoming.write(data)
        plain = b""
        try:
            while part := self.tls.read(65536):
                plain += part
            return plain or None
        except ssl.SSLWantReadError:
            return plain
        except ssl.SSLError:
            return plain or None


def bridge(client, tunnel):
    """Carries bytes both ways until the relay is gone, or the client."""
    client.setblocking(False)
    to_client = b""
    relay_gone = False
    while to_client or not relay_gone:
        reads = [] if relay_gone or len(to_client) > MOST_HELD else [tunnel.socket]
        if len(tunnel.pending) < MOST_HELD and not relay_gone:
            reads.append(client)
        writes = [client] if to_client else []
        if tunnel.pending and not relay_gone:
            writes.append(tunnel.socket)
        readable, writable, _ = select.select(reads, writes, [], 60)
        if not readable and not writable:
            break
        if tunnel.socket in writable:
            tunnel.flush()
        if tunnel.socket in readable:
            data = tunnel.read()
            relay_gone = data is None
            to_client += data or b""
        try:
            if client in readable and not relay_gone:
                data = client.recv(65536)
                if not data:
                    break
                tunnel.write(data)
            if to_client:
                to_client = to_client[client.send(to_client):]
        except BlockingIOError:
            pass
        except (OSError, ssl.SSLError):
            break
    tunnel.socket.close()
    # Closing with bytes unread would reset the connection, and lose what the relay said last.
    try:
        client.shutdown(socket.SHUT_WR)
        client.settimeout(LINGER_SECONDS)
        while client.recv(65536):
            pass
    except OSError:
        pass
    client.close()


class Shim:
    """Takes the fuzzing client's connections: a thread each, and one for all echoes."""

    def __init__(self, relay, pki):
        self.relay = relay
        self.context = ssl.create_default_context(cafile=pki / "ca.pem")
        self.tickets = [line.split()[1:] for line in relay.sessions_file.read_text().splitlines()]
        self.next = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.echoes = asyncio.new_event_loop()
        threading.Thread(target=self.echoes.run_forever, daemon=True).start()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            console, device = self.tickets[self.next % len(self.tickets)]
            self.next += 1
            threading.Thread(target=self.serve, args=(client, console, device),
                             daemon=True).start()

    async def device(self, ticket):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.relay.port, ssl=self.context, server_hostname="localhost")
        writer.write((
            f"GET {DEVICE_PATH} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            f"Authorization: Bearer {ticket}\r\n\r\n").encode())
        await echo(reader, writer)

    def serve(self, client, console_ticket, device_ticket):
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(65536)
            if not data:
                client.close()
                return
            head += data
        asyncio.run_coroutine_threadsafe(self.device(device_ticket), self.echoes)
        lines = head.split(b"\r\n\r\n", 1)[0].decode("latin-1").split("\r\n")
        lines[0] = f"GET {CONSOLE_PATH} HTTP/1.1"
        lines.append(f"Authorization: Bearer {console_ticket}")
        tunnel = TlsSocket(self.relay.port, self.context)
        tunnel.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" +
                     head.split(b"\r\n\r\n", 1)[1])
        bridge(client, tunnel)


class QuietRelay(peers.Fairlead):
    """relay_host without text frames of its own, which the client would take for echoes."""

    def launch(self):
        self.spawn([self.program, f"--port={self.port}", f"--cert={self.pki / 'server.pem'}",
                    f"--key={self.pki / 'server.key'}", f"--sessions={self.sessions_file}",
                    "--no-notices"])


def run_client(options, folder, port):
    """Runs the fuzzing client; its verdicts by case."""
    reports = folder / "reports"
    specification = folder / "fuzzingclient.json"
    specification.write_text(json.dumps({
        "outdir": str(reports), "cases": options.cases.split(","), "exclude-cases": [],
        "exclude-agent-cases": {},
        "servers": [{"agent": "Fairlead", "url": f"ws://127.0.0.1:{port}"}]}))
    with open(folder / "client.log", "wb") as log:
        subprocess.run(
            [options.python2, "-c", START, options.suite, "-m", "fuzzingclient", "-s",
             str(specification)],
            stdout=log, stderr=log, cwd=folder, timeout=options.timeout, check=False)
    index = reports / "index.json"
    if not index.exists():
        raise RuntimeError("the fuzzing client wrote no report:\n" +
                           (folder / "client.log").read_text()[-2000:])
    return json.loads(index.read_text())["Fairlead"], reports


def case_key(name):
    return [int(part) for part in name.split(".")]


def judge(verdict, detail):
    """"pass", "too big" or "fail". The contract has messages of at most 1 MiB, and 1009 for larger
    ones, where the suite expects an echo."""
    if verdict["behavior"] in GOOD and verdict["behaviorClose"] in GOOD:
        return "pass"
    return "too big" if detail.get("remoteCloseCode") == TOO_BIG else "fail"


def report(verdicts, reports):
    """Markdown: a line a group, and each case that is not plainly OK; and how many fail."""
    groups = {}
    cases = []
    for name in sorted(verdicts, key=case_key):
        verdict = verdicts[name]
        detail = json.loads((reports / verdict["reportfile"]).read_text())
        judged = judge(verdict, detail)
        group = groups.setdefault(case_key(name)[0], {"pass": 0, "too big": 0, "fail": 0})
        group[judged] += 1
        if verdict["behavior"] == "OK" and verdict["behaviorClose"] in ("OK", "INFORMATIONAL"):
            continue
        result = "refused with 1009" if judged == "too big" else verdict["behavior"]
        cases.append(f"| {name} | {result} | {clean(detail.get('description'))} | "
                     f"{clean(detail.get('result'))} | {detail.get('remoteCloseCode')} |")
    lines = ["| group | pass | larger than 1 MiB, refused with 1009 | fail |", "|---|---|---|---|"]
    lines += [f"| {number} | {group['pass']} | {group['too big']} | {group['fail']} |"
              for number, group in sorted(groups.items())]
    lines += ["", "| case | result | what it tests | what was seen | close code |",
              "|---|---|---|---|---|", *cases]
    return "\n".join(lines), sum(group["fail"] for group in groups.values())


def clean(text):
    """One short cell of a table."""
    words = " ".join(str(text or "").replace("|", "/").replace("<br>", " ").split())
    return words if len(words) <= 160 else words[:157] + "..."


def main():
    parser = argparse.ArgumentParser(prog="bench/autobahn", description=__doc__)
    parser.add_argument("--cases", default=",".join(GROUPS), help="which cases")
    parser.add_argument("--output", help="a file for the report, Markdown")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds for all cases")
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--python2", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--suite", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fairlead-autobahn-") as temporary:
        folder = pathlib.Path(temporary)
        pki = folder / "pki"
        pki.mkdir()
        peers.make_pki(pki)
        relay = QuietRelay(folder / "relay", pki, peers.as_path(options.bin) / "bench/relay_host",
                           SESSIONS)
        relay.start()
        try:
            verdicts, reports = run_client(options, folder, Shim(relay, pki).port)
        finally:
            relay.stop()
        text, bad = report(verdicts, reports)
    print(text)
    print(f"\n{len(verdicts)} cases, {bad} fail")
    if options.output:
        pathlib.Path(options.output).write_text(text + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
