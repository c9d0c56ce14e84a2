#!/usr/bin/env python3
"""Measures our relay beside nginx, HAProxy and MeshCentral, and whole terminals beside OpenSSH and
MeshCentral, in turns, and prints two tables. Called by bench/run, which installs and builds what
this needs."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import peers
import terminals

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Column, field of the load generator's answer, aim against nginx in the same run (a factor) or
# an absolute aim, text.
FIGURES = [
    ("idle", "kib_per_session", "KiB of memory (PSS) per idle session", ("<=", 10)),
    ("idle", "kib_per_session_after_traffic", "the same after traffic", ("<=", 14)),
    ("bulk16k", "cpu_s_per_gb", "CPU-s per GB, 16 KiB messages, 10 sessions", ("x", 0.70)),
    ("bulk1k", "cpu_s_per_gb", "CPU-s per GB, 1 KiB messages one at a time, 10 sessions",
     ("x", 0.82)),
    ("burst1k", "cpu_s_per_gb", "CPU-s per GB, 1 KiB messages in bursts, 10 sessions", None),
    ("echo1", "cpu_us_per_message", "CPU µs per message, echo, 1 session", ("x", 0.72)),
    ("echo100", "cpu_us_per_message", "CPU µs per message, echo, 100 sessions", ("x", 0.92)),
    ("churn", "cpu_us_per_session", "CPU µs to open, use once, close a session", ("x", 0.56)),
    ("echo1", "p50_us", "echo p50 µs, 1 session", None),
    ("echo1", "p99_us", "echo p99 µs, 1 session", None),
    ("echo100", "p50_us", "echo p50 µs, 100 sessions", None),
    ("bulk16k", "megabytes_per_s", "MB/s, 16 KiB messages (more is better)", None),
]

RELAYS = ("nginx", "HAProxy", "MeshCentral", "Fairlead")
# Only on request, in place of nginx.
MORE_RELAYS = ("nginx-full-handshakes",)

SESSIONS = {"full": 1000, "quick": 300}
FULL = {
    "idle": ["--mode=idle", "--sessions=1000", "--seconds=2"],
    "bulk16k": ["--mode=bulk", "--sessions=10", "--seconds=4"],
    "bulk1k": ["--mode=bulk", "--sessions=10", "--message_bytes=1024", "--window=1",
               "--seconds=4"],
    "burst1k": ["--mode=bulk", "--sessions=10", "--message_bytes=1024", "--seconds=4"],
    "echo1": ["--mode=echo", "--sessions=1", "--seconds=3"],
    "echo100": ["--mode=echo", "--sessions=100", "--seconds=3"],
    "churn": ["--mode=churn", "--sessions=2000"],
}
QUICK = {
    "idle": ["--mode=idle", "--sessions=300", "--seconds=0.5", "--traffic_bytes=1048576"],
    "bulk16k": ["--mode=bulk", "--sessions=10", "--seconds=1.5"],
    "bulk1k": ["--mode=bulk", "--sessions=10", "--message_bytes=1024", "--window=1",
               "--seconds=1.5"],
    "burst1k": ["--mode=bulk", "--sessions=10", "--message_bytes=1024", "--seconds=1.5"],
    "echo1": ["--mode=echo", "--sessions=1", "--seconds=1"],
    "echo100": ["--mode=echo", "--sessions=100", "--seconds=1.5"],
    "churn": ["--mode=churn", "--sessions=300"],
}


def some_of(known):
    """Parses names of `known` that commas separate."""
    def parse(text):
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"there is no '{name}'; choose from " +
                                                 ", ".join(known))
        return names
    return parse


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, under 3 minutes")
    parser.add_argument("--rounds", type=int, help="how often all is measured (5; quick: 1)")
    parser.add_argument("--relays", default=",".join(RELAYS),
                        type=some_of(RELAYS + MORE_RELAYS),
                        help="which relays, separated by commas; also: " + ", ".join(MORE_RELAYS))
    parser.add_argument("--modes", default=",".join(FULL), type=some_of(FULL),
                        help="which measurements, separated by commas")
    parser.add_argument("--no-relays", action="store_true", help="leave out the first table")
    parser.add_argument("--no-terminals", action="store_true", help="leave out the second table")
    parser.add_argument("--output", help="folder for results.json and results.md "
                        "(default: bench/results/TIME)")
    parser.add_argument("--bin", help=argparse.SUPPRESS)
    parser.add_argument("--meshcentral", help=argparse.SUPPRESS)
    return parser.parse_args()


def progress(text):
    print(text, file=sys.stderr, flush=True)


def load(program, relay, mode_arguments):
    """One run of the load generator; its last line of JSON."""
    command = [str(program), *relay.load_arguments(), *mode_arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(f"{relay.name}: {' '.join(mode_arguments)}: {done.stderr[-500:]}")
    return json.loads(lines[-1])


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def empty_host_kib(folder, pki, program):
    """What relay_host holds with one session registered: what the others are compared with has no
    sessions registered beforehand, so ours must count the registration too."""
    host = peers.Fairlead(folder / "empty", pki, program, 1)
    host.start()
    kib = pss_kib(host.pid)
    host.stop()
    return kib


def measure_relays(options, plan, rounds, binaries, folder):
    """{relay: {mode: [answers]}}."""
    pki = folder / "pki"
    pki.mkdir()
    peers.make_pki(pki)
    sessions = SESSIONS["quick" if options.quick else "full"]
    program = binaries / "bench/relay_host"
    everyone = {
        "Fairlead": lambda: peers.Fairlead(folder / "fairlead", pki, program, sessions),
        "nginx": lambda: peers.Nginx(folder / "nginx", pki),
        "nginx-full-handshakes": lambda: peers.NginxFullHandshakes(folder / "nginx-full", pki),
        "HAProxy": lambda: peers.HaProxy(folder / "haproxy", pki),
        "MeshCentral": lambda: peers.MeshCentral(folder / "meshcentral", pki,
                                                 peers.as_path(options.meshcentral)),
    }
    relays = [everyone[name]() for name in options.relays]
    empty = empty_host_kib(folder, pki, program)
    results = {relay.name: {mode: [] for mode in plan} for relay in relays}
    for number in range(rounds):
        order = relays[number % len(relays):] + relays[:number % len(relays)]
        try:
            for relay in order:
                relay.start()
            for mode in plan:
                for relay in order:
                    progress(f"round {number + 1} of {rounds}: {mode}, {relay.name}")
                    answer = load(binaries / "bench/load/load", relay, plan[mode])
                    if mode == "idle" and relay.name == "Fairlead" and "error" not in answer:
                        registered = (answer["kib_without_sessions"] - empty) / sessions
                        answer["kib_per_session"] += registered
                        answer["kib_per_session_after_traffic"] += registered
                    results[relay.name][mode].append(answer)
        finally:
            for relay in relays:
                relay.stop()
    return results


def values(results, relay, mode, field):
    return [answer.get(field) for answer in results.get(relay, {}).get(mode, [])]


def cell(numbers):
    good = [number for number in numbers if number is not None]
    if not good:
        return "–"
    middle = statistics.median(good)
    text = f"{middle:.4g}" if middle < 1000 else f"{middle:.0f}"
    if len(good) > 1 and middle:
        text += f" (±{(max(good) - min(good)) / 2 / middle * 100:.0f} %)"
    return text


def ratio(ours, theirs):
    """Round by round, so that what slows both does not show."""
    pairs = [a / b for a, b in zip(ours, theirs) if a is not None and b]
    return statistics.median(pairs) if pairs else None


def verdict(aim, ours, against):
    if aim is None:
        return "", ""
    kind, limit = aim
    if kind == "x":
        return f"≤ {limit} ×", "–" if against is None else "yes" if against <= limit else "no"
    good = [number for number in ours if number is not None]
    return f"≤ {limit}", "–" if not good else "yes" if statistics.median(good) <= limit else "no"


def relay_table(results):
    names = [name for name in MORE_RELAYS + RELAYS if name in results]
    reference = next((name for name in ("nginx",) + MORE_RELAYS if name in results), "nginx")
    lines = ["| figure | " + " | ".join(names) + f" | ours / {reference} | aim | met |",
             "|---|" + "---|" * (len(names) + 3)]
    for mode, field, text, aim in FIGURES:
        ours = values(results, "Fairlead", mode, field)
        if not any(values(results, name, mode, field) for name in names):
            continue
        against = ratio(ours, values(results, reference, mode, field))
        aim_text, met = verdict(aim, ours, against)
        cells = [cell(values(results, name, mode, field)) for name in names]
        shown = "–" if against is None else f"{against:.2f}"
        lines.append(f"| {text} | " + " | ".join(cells) + f" | {shown} | {aim_text} | {met} |")
    return "\n".join(lines)


def failures(results):
    """A sentence for each run in which something failed."""
    for relay, modes in results.items():
        for mode, answers in modes.items():
            for answer in answers:
                if answer.get("error") or answer.get("failures"):
                    why = answer.get("error") or answer.get("first_failure")
                    yield f"{relay}, {mode}: {answer.get('failures', 'all')} failed: {why}"


def version(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        return (done.stdout + done.stderr).strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return "unknown"


def machine(options):
    cpu = "unknown"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                cpu = line.split(":")[1].strip()
    commit = version("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    return {
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit, "cpu": cpu, "cores": os.cpu_count(), "kernel": platform.release(),
        "nginx": version("/usr/sbin/nginx", "-v"), "haproxy": version("/usr/sbin/haproxy", "-v"),
        "openssh": version("ssh", "-V"), "node": version("node", "--version"),
        "meshcentral": pathlib.Path(options.meshcentral or "-").name,
    }


def main():
    options = arguments()
    durations = QUICK if options.quick else FULL
    plan = {mode: flags for mode, flags in durations.items() if mode in options.modes}
    rounds = options.rounds or (1 if options.quick else 5)
    binaries = peers.as_path(options.bin)
    report = {"machine": machine(options), "rounds": rounds, "quick": options.quick}
    text = [f"{key}: {value}  " for key, value in report["machine"].items()]
    text.append(f"median of {rounds} interleaved rounds, half the range in brackets\n")
    problems = []
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as temporary:
        folder = pathlib.Path(temporary)
        if not options.no_relays:
            report["relays"] = measure_relays(options, plan, rounds, binaries, folder)
            text.append(relay_table(report["relays"]) + "\n")
            problems += failures(report["relays"])
        if not options.no_terminals:
            # What was measured before is worth printing all the same.
            try:
                report["terminals"] = terminals.measure(
                    options.quick, rounds, binaries, peers.as_path(options.meshcentral), folder,
                    progress)
                text.append(terminals.table(report["terminals"]) + "\n")
                problems += failures(report["terminals"])
            except RuntimeError as error:
                problems.append(f"whole terminals: {error}")
    text += [f"FAILED: {problem}  " for problem in problems]
    print("\n".join(text))
    output = pathlib.Path(options.output or ROOT / "bench/results" /
                          datetime.datetime.now().strftime("%Y%m%d-%H%M%S"))
    output.mkdir(parents=True, exist_ok=True)
    (output / "results.json").write_text(json.dumps(report, indent=1))
    (output / "results.md").write_text("\n".join(text) + "\n")
    progress(f"written to {output}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
