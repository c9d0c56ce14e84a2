#!/usr/bin/env python3
"""Runs the Autobahn fuzzing client against the Console's leg of sessions at relay_host, with an echo
on the device's leg, and prints a summary. Called by bench/autobahn, which installs the suite.

The fuzzing client knows neither tickets nor our CA: a shim in this program takes its plain
connections, adds the ticket of a fresh session to each, and goes on over TLS. It changes nothing
else, so that every byte of the WebSocket is the relay's."""

import argparse
import json
import pathlib
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
GOOD = ("OK", "INFORMATIONAL", "NON-STRICT")


class Closed(Exception):
    """The peer is gone."""


class Reader:
    """Exact reads from a socket."""

    def __init__(self, stream):
        self.stream = stream
        self.data = b""

    def head(self):
        while b"\r\n\r\n" not in self.data:
            self.fill()
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        return head

    def take(self, size):
        while len(self.data) < size:
            self.fill(max(65536, size - len(self.data)))
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def fill(self, size=65536):
        got = self.stream.recv(size)
        if not got:
            raise Closed()
        self.data += got


def send_frame(stream, first_byte, payload):
    """A masked frame; the mask is zero, which is as good as any here."""
    size = len(payload)
    if size < 126:
        header = struct.pack(">BB", first_byte, 0x80 | size)
    elif size < 65536:
        header = struct.pack(">BBH", first_byte, 0x80 | 126, size)
    else:
        header = struct.pack(">BBQ", first_byte, 0x80 | 127, size)
    stream.sendall(header + b"\0\0\0\0" + payload)


def echo(stream):
    """The device's leg: gives back every frame, fragments as they are."""
    reader = Reader(stream)
    try:
        reader.head()
        while True:
            first, second = reader.take(2)
            size = second & 127
            if size == 126:
                size = struct.unpack(">H", reader.take(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", reader.take(8))[0]
            payload = reader.take(size)
            opcode = first & 15
            if opcode == 9:
                send_frame(stream, 0x8a, payload)
            elif opcode == 8:
                send_frame(stream, 0x88, payload)
            elif opcode != 10:
                send_frame(stream, first, payload)
    except (Closed, OSError):
        stream.close()


def copy(source, target):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Shim:
    """Takes the fuzzing client's connections."""

    def __init__(self, relay, pki):
        self.relay = relay
        self.context = ssl.create_default_context(cafile=pki / "ca.pem")
        self.tickets = [line.split()[1:] for line in relay.sessions_file.read_text().splitlines()]
        self.next = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def dial(self):
        plain = socket.create_connection(("127.0.0.1", self.relay.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.context.wrap_socket(plain, server_hostname="localhost")

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            console, device = self.tickets[self.next % len(self.tickets)]
            self.next += 1
            threading.Thread(target=self.serve, args=(client, console, device),
                             daemon=True).start()

    def serve(self, client, console_ticket, device_ticket):
        reader = Reader(client)
        try:
            head = reader.head().decode("latin-1").split("\r\n")
            device = self.dial()
            device.sendall((
                f"GET {DEVICE_PATH} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                f"Authorization: Bearer {device_ticket}\r\n\r\n").encode())
            threading.Thread(target=echo, args=(device,), daemon=True).start()
            tunnel = self.dial()
            head[0] = f"GET {CONSOLE_PATH} HTTP/1.1"
            head.append(f"Authorization: Bearer {console_ticket}")
            tunnel.sendall("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + reader.data)
        except (Closed, OSError):
            client.close()
            return
        threading.Thread(target=copy, args=(tunnel, client), daemon=True).start()
        copy(client, tunnel)


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


def report(verdicts, reports):
    """Markdown: a line a group, and each case that is not well."""
    groups = {}
    for name, verdict in verdicts.items():
        good = verdict["behavior"] in GOOD and verdict["behaviorClose"] in GOOD
        group = groups.setdefault(int(name.split(".")[0]), [0, 0])
        group[0 if good else 1] += 1
    lines = ["| group | pass | fail |", "|---|---|---|"]
    lines += [f"| {group} | {good} | {bad} |" for group, (good, bad) in sorted(groups.items())]
    lines += ["", "| case | result | closing | what it tests | what was seen |",
              "|---|---|---|---|---|"]
    for name in sorted(verdicts, key=case_key):
        verdict = verdicts[name]
        if verdict["behavior"] == "OK" and verdict["behaviorClose"] in ("OK", "INFORMATIONAL"):
            continue
        detail = json.loads((reports / verdict["reportfile"]).read_text())
        lines.append(f"| {name} | {verdict['behavior']} | {verdict['behaviorClose']} | "
                     f"{clean(detail.get('description'))} | {clean(detail.get('result'))} |")
    return "\n".join(lines), sum(bad for _, bad in groups.values())


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
    print(f"\n{len(verdicts)} cases, {bad} do not pass")
    if options.output:
        pathlib.Path(options.output).write_text(text + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
