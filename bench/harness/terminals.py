"""Whole terminals, from the person's keystroke to the program and back: ours over a server and over
an ICG, OpenSSH direct and through a bastion, MeshCentral's, and a bare pseudo-terminal as the
floor."""

import json
import os
import pathlib
import pwd
import statistics
import subprocess
import time

import fairlead
import meshcentral
import peers

# A CPU tick is 10 ms: fewer lines would tell nothing.
LINES = 5_000_000
ECHO_SECONDS = {False: 3, True: 1}
# A device allows 16 at once.
HELD = 12
OPENINGS = {False: 15, True: 5}


def load(program, *arguments):
    done = subprocess.run([str(program), "--mode=terminal", *map(str, arguments)],
                          capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else {"error": done.stderr[-300:]}


def family(root, name=""):
    """`root` and its descendants, those named `name`."""
    children = {}
    names = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text()
        except OSError:
            continue
        pid = int(entry.name)
        names[pid] = text[text.index("(") + 1:text.rindex(")")]
        children.setdefault(int(text[text.rindex(")") + 2:].split()[1]), []).append(pid)
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return [pid for pid in found if not name or names.get(pid) == name]


def pss_kib(pids, field="Pss:"):
    """"Pss_Anon:" leaves out files, of which a session of ours maps none: a server's share of libc
    shrinks with every shell that is started, which would hide what the session takes."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith(field))
        except (OSError, StopIteration):
            pass
    return total


def hold(program, count, memory, make_arguments):
    """KiB a terminal of each memory reader, with `count` terminals held. What the very first one
    takes for ever is none of it."""
    load(program, "--measure=first_byte", *make_arguments(1))
    before = {name: read() for name, read in memory.items()}
    arguments = make_arguments(count)
    process = subprocess.Popen(
        [str(program), "--mode=terminal", "--measure=hold", "--stepwise", "--seconds=1",
         f"--sessions={count}", *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    after = {name: read() for name, read in memory.items()}
    process.stdin.write("\n")
    process.stdin.close()
    process.wait(60)
    if '"held"' not in line:
        return {"error": f"the terminals were not held: {line}"}
    return {name: (after[name] - before[name]) / count for name in memory}


class Local:
    """A pseudo-terminal without any connection."""
    name = "pseudo-terminal alone"

    def __init__(self, program, quick):
        self.program = program
        self.quick = quick

    def measure(self):
        figures = load(self.program, "--local", "--measure=echo",
                       f"--seconds={ECHO_SECONDS[self.quick]}")
        figures.update(load(self.program, "--local", "--measure=output",
                            f"--lines={LINES}"))
        return figures

    def stop(self):
        pass


class Tunnelled:
    """A terminal on one device behind a server or an ICG, whose person's end is the generator."""
    name = ""

    def __init__(self, program, quick, relay_pid, agent_pid):
        self.program = program
        self.quick = quick
        self.relay_pid = relay_pid
        self.agent_pid = agent_pid
        self.held = None

    def tunnel(self, count=1):
        """The generator's arguments for `count` terminals, which the device was asked for."""
        raise NotImplementedError

    def first_byte_ms(self):
        raise NotImplementedError

    def memory(self):
        """Readers of the memory that sessions may take."""
        return {
            "relay_kib_per_session": lambda: pss_kib([self.relay_pid], "Pss_Anon:"),
            "agent_kib_per_session": lambda: pss_kib([self.agent_pid], "Pss_Anon:"),
        }

    def measure(self):
        # Memory first and once: later the processes hold what they have used.
        if self.held is None:
            self.held = hold(self.program, HELD, self.memory(), self.tunnel)
        figures = dict(self.held)
        figures.update(load(self.program, "--measure=echo",
                            f"--seconds={ECHO_SECONDS[self.quick]}", *self.tunnel()))
        figures.update(load(self.program, "--measure=output", f"--lines={LINES}",
                            f"--pid={self.relay_pid}", f"--agent_pid={self.agent_pid}",
                            *self.tunnel()))
        figures["first_byte_ms"] = statistics.median(
            self.first_byte_ms() for _ in range(OPENINGS[self.quick]))
        return figures

    def stop(self):
        pass


class Ours(Tunnelled):
    """A terminal of ours on one device."""

    def __init__(self, program, quick, system, unit_id, name, relay):
        super().__init__(program, quick, system.processes[relay].pid, system.agents[unit_id].pid)
        self.system = system
        self.unit_id = unit_id
        self.name = name

    def tunnel(self, count=1):
        sessions = [self.system.create_session(self.unit_id) for _ in range(count)]
        port = sessions[0]["consoleUrl"].split(":")[2].split("/")[0]
        tickets = ",".join(session["consoleTicket"] for session in sessions)
        return [f"--port={port}", f"--ca={self.system.ca_file}", f"--tickets={tickets}"]

    def first_byte_ms(self):
        return self.system.first_byte_ms(self.unit_id)


class MeshCentral(Tunnelled):
    """MeshCentral's server and agent."""
    name = "MeshCentral"

    def __init__(self, program, quick, folder, package):
        self.system = meshcentral.MeshCentral(folder, package)
        super().__init__(program, quick, self.system.server.pid, self.system.agent.pid)

    def memory(self):
        # The server's heap moves by megabytes of its own, which hides what a few sessions take.
        readers = super().memory()
        del readers["relay_kib_per_session"]
        return readers

    def tunnel(self, count=1):
        tunnels = ",".join(self.system.open_tunnel() for _ in range(count))
        return ["--relay=meshcentral", f"--port={self.system.server.port}",
                f"--ca={self.system.ca_file}", f"--tickets={tunnels}"]

    def first_byte_ms(self):
        return self.system.first_byte_ms()

    def stop(self):
        self.system.stop()


class OpenSsh:
    """sshd on ports of its own with keys of its own; direct, or through a second sshd by -J."""

    def __init__(self, program, quick, folder, bastion):
        self.program = program
        self.quick = quick
        self.folder = folder
        self.bastion = bastion
        self.name = "OpenSSH through a bastion" if bastion else "OpenSSH direct"
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        os.makedirs("/run/sshd", exist_ok=True)
        for key in ("host", "user"):
            if not (folder / key).exists():
                peers.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key)
        (folder / "authorized").write_text((folder / "user.pub").read_text())
        (folder / "authorized").chmod(0o600)
        self.port = peers.free_port()
        self.process = self.start("device", self.port)
        self.bastion_process = None
        jump = ""
        if bastion:
            bastion_port = peers.free_port()
            self.bastion_process = self.start("bastion", bastion_port)
            jump = self.client_config(bastion_port)
        user = pwd.getpwuid(os.getuid()).pw_name
        self.command = (f"ssh -tt -F {self.client_config(self.port, jump)} {user}@device "
                        "ENV= PS1='$\\ ' /bin/sh")

    def start(self, name, port):
        config = self.folder / f"{name}.conf"
        config.write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host\n"
            f"PidFile none\nAuthorizedKeysFile {self.folder}/authorized\nStrictModes no\n"
            "UsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
            "PrintMotd no\nPrintLastLog no\nMaxStartups 1000\n")
        log = open(self.folder / f"{name}.log", "ab")
        process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(config)],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(200):
            try:
                peers.socket.create_connection(("127.0.0.1", port), 1).close()
                return process
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"sshd does not listen; see {self.folder}")

    def client_config(self, port, jump=""):
        """An ssh_config for host `device` at `port`, through that of config `jump`."""
        path = self.folder / f"client-{port}"
        through = f"ProxyCommand ssh -F {jump} -W localhost:{port} device\n" if jump else ""
        path.write_text(
            f"Host device\n  HostName 127.0.0.1\n  Port {port}\n"
            f"  IdentityFile {self.folder}/user\n  IdentitiesOnly yes\n"
            "  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n"
            f"  IPQoS none\n  Ciphers aes128-gcm@openssh.com\n  {through}")
        return path

    def measure(self):
        command = f"--command={self.command}"
        relay = self.bastion_process or self.process
        figures = load(self.program, "--measure=echo", f"--seconds={ECHO_SECONDS[self.quick]}",
                       command)
        figures.update(load(self.program, "--measure=output", f"--lines={LINES}",
                            f"--pid={relay.pid}", "--pid_name=sshd", command))
        openings = [load(self.program, "--measure=first_byte", command).get("first_byte_ms")
                    for _ in range(OPENINGS[self.quick])]
        if all(openings):
            figures["first_byte_ms"] = statistics.median(openings)
        figures.update(hold(self.program, HELD, {
            "relay_kib_per_session": lambda: pss_kib(family(relay.pid, "sshd")),
        }, lambda count: [command]))
        return figures

    def stop(self):
        for process in (self.process, self.bastion_process):
            if process is not None:
                process.terminate()
                process.wait(10)


ROWS = [
    ("echo_p50_us", "echo p50 µs", ("<=", 150)),
    ("echo_p99_us", "echo p99 µs", None),
    ("output_mb_per_s", "output MB/s", (">=", 45)),
    ("relay_cpu_s_per_gb", "server (relay, sshd) CPU-s/GB of output", ("<=", 4)),
    ("agent_cpu_s_per_gb", "agent CPU-s/GB", ("<=", 6)),
    ("first_byte_ms", "request to first prompt byte, ms", ("<=", 20)),
    ("relay_kib_per_session", "KiB (PSS) per session in the server", ("<=", 20)),
    ("agent_kib_per_session", "KiB (PSS) per session in the agent", ("<=", 100)),
]


def measure(quick, rounds, binaries, package, folder, progress):
    """{terminal: {"terminal": [figures, one a round]}}. `package` is MeshCentral's folder."""
    program = binaries / "bench/load/load"
    over_icg = (binaries / "gateway/icg").exists()
    system = fairlead.Fairlead(binaries, folder / "system", over_icg)
    kinds = [Local(program, quick),
             Ours(program, quick, system, "00E0C5000001", "Fairlead direct", "server")]
    if over_icg:
        kinds.append(Ours(program, quick, system, "00E0C5000002", "Fairlead over ICG", "icg"))
    results = {}
    try:
        kinds.append(OpenSsh(program, quick, folder / "ssh", False))
        kinds.append(OpenSsh(program, quick, folder / "ssh-bastion", True))
        try:
            kinds.append(MeshCentral(program, quick, folder / "meshcentral-system", package))
        except RuntimeError as error:
            progress(f"MeshCentral's terminal is left out: {error}")
        results = {kind.name: {"terminal": []} for kind in kinds}
        for number in range(rounds):
            turn = number % len(kinds)
            for kind in kinds[turn:] + kinds[:turn]:
                progress(f"round {number + 1} of {rounds}: {kind.name}")
                # What the others give is worth having all the same.
                try:
                    figures = kind.measure()
                except (RuntimeError, OSError) as error:
                    figures = {"error": str(error)}
                results[kind.name]["terminal"].append(figures)
    finally:
        for kind in kinds:
            kind.stop()
        system.stop()
    return results


def cell(numbers):
    good = [number for number in numbers if number is not None]
    if not good:
        return "–"
    middle = statistics.median(good)
    text = f"{middle:.4g}" if middle < 1000 else f"{middle:.0f}"
    if len(good) > 1 and middle:
        text += f" (±{(max(good) - min(good)) / 2 / middle * 100:.0f} %)"
    return text


def met(aim, results, field):
    if aim is None:
        return ""
    words = []
    for name, kinds in results.items():
        if not name.startswith("Fairlead"):
            continue
        good = [figures[field] for figures in kinds["terminal"] if figures.get(field) is not None]
        if good:
            middle = statistics.median(good)
            words.append("yes" if (middle <= aim[1] if aim[0] == "<=" else middle >= aim[1])
                         else "no")
    return ", ".join(words) or "–"


def table(results):
    names = list(results)
    lines = ["| whole terminals | " + " | ".join(names) + " | aim for ours | met |",
             "|---|" + "---|" * (len(names) + 2)]
    for field, text, aim in ROWS:
        cells = [cell([figures.get(field) for figures in results[name]["terminal"]])
                 for name in names]
        aim_text = "" if aim is None else f"{'≤' if aim[0] == '<=' else '≥'} {aim[1]}"
        lines.append(f"| {text} | " + " | ".join(cells) +
                     f" | {aim_text} | {met(aim, results, field)} |")
    return "\n".join(lines)
