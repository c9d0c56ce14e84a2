#!/usr/bin/env python3
"""Holds sessions on one relay (relay_host), each with a keystroke now and then, and devices on one
hub (hub_host), each with a heartbeat now and then. Opening and closing all at once are the storms.
Prints CSV lines as it goes. Called by bench/scale, which builds what this needs."""

import argparse
import csv
import json
import math
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import peers
import plot

# Descriptors that a process needs beside its connections.
SPARE = 100
# Sessions or devices that one load generator drives.
MOST_A_GENERATOR = 4000

SESSION_FIELDS = ["sessions", "cycle", "kib_per_session", "open_s", "open_p50_ms", "open_p99_ms",
                  "open_cpu_us_per_session", "held_cpu_percent", "held_cpu_us_per_echo",
                  "echo_p50_us", "echo_p99_us", "echoes", "close_s", "kib_left", "failures"]
DEVICE_FIELDS = ["devices", "kib_per_device", "open_s", "open_cpu_us_per_device",
                 "held_cpu_percent", "connected", "failures"]


def raise_descriptors(wanted):
    """Raises this process's limit, which children inherit, and returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open("/proc/sys/fs/nr_open") as file:
        most = int(file.read())
    if hard < wanted:
        try:
            hard = min(wanted, most)
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, PermissionError):
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def fit(wanted, descriptors_each, what):
    """As many of `wanted` as one process's limit of open files allows."""
    limit = raise_descriptors(wanted * descriptors_each + SPARE)
    most = (limit - SPARE) // descriptors_each
    if most >= wanted:
        return wanted
    print(f"scale: a process may open {limit} files here, so {most} of {wanted} {what} are held; "
          f"run as root, or raise the hard limit with 'ulimit -Hn {wanted * descriptors_each + SPARE}'",
          file=sys.stderr)
    return most


class Process:
    """What /proc tells of one process."""

    def __init__(self, pid):
        self.pid = pid

    def cpu_seconds(self):
        text = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        fields = text[text.rindex(")") + 2:].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def pss_kib(self):
        with open(f"/proc/{self.pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


class Generators:
    """Load generators that step through their phases together."""

    def __init__(self, commands):
        self.processes = [subprocess.Popen([str(part) for part in command],
                                           stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                           text=True) for command in commands]

    def phase(self):
        """Waits until all have done a phase; what they say."""
        answers = []
        for process in self.processes:
            line = process.stdout.readline()
            answers.append(json.loads(line) if line else {"error": "ended", "failures": 1})
        return answers

    def go_on(self):
        for process in self.processes:
            if process.poll() is None:
                process.stdin.write("\n")
                process.stdin.flush()

    def wait(self):
        for process in self.processes:
            process.stdin.close()
            process.wait(60)


def share(total):
    """Numbers of sessions or devices for each generator."""
    count = max(1, math.ceil(total / MOST_A_GENERATOR))
    return [total // count + (1 if i < total % count else 0) for i in range(count)]


def total_failures(answers):
    for answer in answers:
        if answer.get("first_failure") or answer.get("error"):
            print(f"scale: {answer.get('first_failure') or answer['error']}", file=sys.stderr)
    return sum(answer.get("failures", 1) for answer in answers)


def worst(answers, field):
    return round(max(answer.get(field, 0) for answer in answers), 1)


def middle(answers, field):
    numbers = sorted(answer.get(field, 0) for answer in answers)
    return round(numbers[len(numbers) // 2], 1)


def split_sessions(relay, folder, shares):
    """A sessions file for each generator."""
    lines = relay.sessions_file.read_text().splitlines(keepends=True)
    paths = []
    for number, size in enumerate(shares):
        path = folder / f"sessions-{number}"
        path.write_text("".join(lines[:size]))
        lines = lines[size:]
        paths.append(path)
    return paths


def hold_sessions(options, binaries, folder, pki, sessions, cycles):
    empty_relay = peers.Fairlead(folder / "empty", pki, binaries / "bench/relay_host", 1,
                                 options.io_threads)
    empty_relay.start()
    empty = Process(empty_relay.pid).pss_kib()
    empty_relay.stop()
    relay = peers.Fairlead(folder / f"relay-{sessions}", pki, binaries / "bench/relay_host",
                           sessions, options.io_threads)
    relay.start()
    shares = share(sessions)
    files = split_sessions(relay, relay.folder, shares)
    process = Process(relay.pid)
    for cycle in range(1, cycles + 1):
        cpu = process.cpu_seconds()
        generators = Generators([
            [binaries / "bench/load/load", "--mode=hold", "--stepwise", f"--port={relay.port}",
             f"--ca={pki / 'ca.pem'}", f"--sessions_file={path}", f"--sessions={size}",
             f"--concurrency={max(1, options.concurrency // len(shares))}",
             f"--seconds={options.seconds}", f"--period={options.period}",
             "--source_addresses=200", f"--source_network={number + 1}"]
            for number, (path, size) in enumerate(zip(files, shares))])
        opened = generators.phase()
        time.sleep(1)
        open_cpu = process.cpu_seconds() - cpu
        kib = process.pss_kib()
        cpu = process.cpu_seconds()
        begin = time.monotonic()
        generators.go_on()
        held = generators.phase()
        seconds = time.monotonic() - begin
        held_cpu = process.cpu_seconds() - cpu
        echoes = sum(answer.get("echoes", 0) for answer in held)
        generators.go_on()
        closed = generators.phase()
        generators.wait()
        time.sleep(1)
        yield {
            "sessions": sessions, "cycle": cycle,
            "kib_per_session": round((kib - empty) / sessions, 2),
            "open_s": worst(opened, "seconds"), "open_p50_ms": middle(opened, "p50_ms"),
            "open_p99_ms": worst(opened, "p99_ms"),
            "open_cpu_us_per_session": round(open_cpu * 1e6 / sessions, 1),
            "held_cpu_percent": round(held_cpu / seconds * 100, 2),
            "held_cpu_us_per_echo": round(held_cpu * 1e6 / echoes, 1) if echoes else "",
            "echo_p50_us": middle(held, "p50_us"), "echo_p99_us": worst(held, "p99_us"),
            "echoes": echoes, "close_s": worst(closed, "seconds"),
            "kib_left": process.pss_kib() - empty, "failures": total_failures(closed),
        }
    relay.stop()


class Hub(peers.Relay):
    """The product's device hub alone."""
    name = "hub"

    def __init__(self, folder, pki, program, io_threads):
        super().__init__(folder, pki)
        self.program = program
        self.io_threads = io_threads

    def launch(self):
        self.spawn([self.program, f"--port={self.port}", f"--cert={self.pki / 'server.pem'}",
                    f"--key={self.pki / 'server.key'}", f"--device_ca={self.pki / 'ca.pem'}",
                    f"--io_threads={self.io_threads}"])


def hold_devices(options, binaries, folder, pki, devices):
    hub = Hub(folder / "hub", pki, binaries / "bench/hub_host", options.io_threads)
    hub.start()
    process = Process(hub.pid)
    empty = process.pss_kib()
    cpu = process.cpu_seconds()
    shares = share(devices)
    generators = Generators([
        [binaries / "bench/load/load", "--mode=devices", "--stepwise", f"--port={hub.port}",
         f"--ca={pki / 'ca.pem'}", f"--device_ca={pki / 'ca.pem'}",
         f"--device_ca_key={pki / 'ca.key'}", f"--sessions={size}",
         f"--first_device={sum(shares[:number])}",
         f"--concurrency={max(1, options.concurrency // len(shares))}",
         f"--seconds={options.seconds}", "--period=30", "--source_addresses=200",
         f"--source_network={number + 1}"] for number, size in enumerate(shares)])
    opened = generators.phase()
    time.sleep(1)
    kib = process.pss_kib()
    open_cpu = process.cpu_seconds() - cpu
    cpu = process.cpu_seconds()
    begin = time.monotonic()
    generators.go_on()
    held = generators.phase()
    held_cpu = (process.cpu_seconds() - cpu) / (time.monotonic() - begin)
    generators.go_on()
    generators.phase()
    generators.wait()
    hub.stop()
    return {
        "devices": devices, "kib_per_device": round((kib - empty) / devices, 2),
        "open_s": worst(opened, "seconds"),
        "open_cpu_us_per_device": round(open_cpu * 1e6 / devices, 1),
        "held_cpu_percent": round(held_cpu * 100, 2),
        "connected": sum(answer.get("connected", 0) for answer in held),
        "failures": total_failures(held),
    }


def arguments():
    parser = argparse.ArgumentParser(prog="bench/scale", description=__doc__)
    parser.add_argument("--sessions", default="10,100,1000,5000,20000",
                        help="numbers of sessions, separated by commas; empty for none")
    parser.add_argument("--devices", type=int, default=50_000, help="devices on the hub; 0 for none")
    parser.add_argument("--seconds", type=float, default=30, help="for how long all are held")
    parser.add_argument("--period", type=float, default=10, help="seconds between keystrokes")
    parser.add_argument("--cycles", type=int, default=2,
                        help="how often the largest number is opened and closed")
    parser.add_argument("--concurrency", type=int, default=200,
                        help="connections that are opened at once")
    parser.add_argument("--io_threads", type=int, default=1, help="the relay's I/O threads")
    parser.add_argument("--plot", help="an SVG file for the curve of cost over sessions")
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = arguments()
    binaries = peers.as_path(options.bin)
    numbers = sorted({fit(int(word), 2, "sessions") for word in options.sessions.split(",") if word})
    failed = False
    rows = []
    with tempfile.TemporaryDirectory(prefix="fairlead-scale-") as temporary:
        folder = pathlib.Path(temporary)
        pki = folder / "pki"
        pki.mkdir()
        peers.make_pki(pki)
        if numbers:
            writer = csv.DictWriter(sys.stdout, SESSION_FIELDS)
            writer.writeheader()
        for sessions in numbers:
            cycles = options.cycles if sessions == numbers[-1] else 1
            for row in hold_sessions(options, binaries, folder, pki, sessions, cycles):
                writer.writerow(row)
                sys.stdout.flush()
                rows.append(row)
                failed = failed or row["failures"] > 0
        if options.devices > 0:
            row = hold_devices(options, binaries, folder, pki, fit(options.devices, 1, "devices"))
            writer = csv.DictWriter(sys.stdout, DEVICE_FIELDS)
            writer.writeheader()
            writer.writerow(row)
            failed = failed or row["failures"] > 0
    if options.plot and rows:
        first = [row for row in rows if row["cycle"] == 1]
        pathlib.Path(options.plot).write_text(plot.cost_over_sessions(first))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
