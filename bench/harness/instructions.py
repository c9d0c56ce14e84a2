#!/usr/bin/env python3
"""Counts the instructions that the relay takes for 10,000 frames, under callgrind, and compares them
with bench/relay_instructions.txt. Called by tools/checks/relay_instructions.

The count is of relay_host alone: the load generator is another process. One session echoes messages
one at a time, so that each frame is read, relayed and written for itself, and what opening and
closing take is subtracted by a run with one round trip."""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import peers

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASELINE = ROOT / "bench/relay_instructions.txt"
# Name, payload of a frame, frames.
CASES = [("frames_of_16_bytes", 16, 10_000), ("frames_of_16_KiB", 16384, 1_000)]
# A count may be so much above its baseline.
TOLERANCE = 0.05


class CountedRelay(peers.Fairlead):
    """relay_host under callgrind."""

    def launch(self):
        self.spawn(["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.folder}/out",
                    self.program, f"--port={self.port}", f"--cert={self.pki / 'server.pem'}",
                    f"--key={self.pki / 'server.key'}", f"--sessions={self.sessions_file}"])

    def instructions(self):
        self.stop()
        match = re.search(r"^(?:summary|totals): (\d+)", (self.folder / "out").read_text(),
                          re.MULTILINE)
        if match is None:
            raise RuntimeError(f"callgrind wrote no total; see {self.folder}")
        return int(match.group(1))


def count(binaries, folder, pki, size, round_trips):
    relay = CountedRelay(folder, pki, binaries / "bench/relay_host", 1)
    relay.start()
    try:
        subprocess.run([str(binaries / "bench/load/load"), *relay.load_arguments(), "--mode=echo",
                        "--sessions=1", f"--message_bytes={size}", f"--round_trips={round_trips}"],
                       check=True, stdout=subprocess.DEVNULL, timeout=600)
    except BaseException:
        relay.stop()
        raise
    return relay.instructions()


def measure(binaries):
    figures = {}
    with tempfile.TemporaryDirectory(prefix="fairlead-callgrind-") as temporary:
        folder = pathlib.Path(temporary)
        pki = folder / "pki"
        pki.mkdir()
        peers.make_pki(pki)
        for name, size, frames in CASES:
            many = count(binaries, folder / f"{name}-many", pki, size, frames // 2 + 1)
            one = count(binaries, folder / f"{name}-one", pki, size, 1)
            figures[name] = (many - one) // frames
    return figures


def read_baseline():
    lines = (line.split("#")[0].split() for line in BASELINE.read_text().splitlines())
    return {line[0]: int(line[1]) for line in lines if line}


def write_baseline(figures):
    BASELINE.write_text(
        "# Instructions of the relay a frame, in user space; see tools/checks/relay_instructions.\n" +
        "".join(f"{name} {value}\n" for name, value in figures.items()))


def main():
    parser = argparse.ArgumentParser(prog="tools/checks/relay_instructions", description=__doc__)
    parser.add_argument("--record", action="store_true", help="make the figures the baseline")
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    figures = measure(peers.as_path(options.bin))
    if options.record:
        write_baseline(figures)
        print(f"relay_instructions: recorded {figures}")
        return 0
    baseline = read_baseline()
    failed = False
    for name, value in figures.items():
        known = baseline.get(name)
        change = None if known is None else value / known - 1
        bad = change is None or change > TOLERANCE
        failed = failed or bad
        told = "has no baseline" if change is None else f"{change * 100:+.1f} % against {known}"
        print(f"relay_instructions: {name}: {value} instructions a frame, {told}"
              f"{': too many' if bad else ''}")
    if failed:
        print("relay_instructions: a frame costs more than it did. Find out why; if it must, record "
              "the new count with tools/checks/relay_instructions --record")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
