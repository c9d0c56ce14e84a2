"""A whole MeshCentral on loopback: its server, and its agent as the one device. Used by
terminals.py."""

import http.client
import json
import os
import platform
import secrets
import shutil
import ssl
import subprocess
import time

import peers
from websocket import BINARY, TEXT, WebSocket

AGENTS = {"x86_64": "meshagent_x86-64", "aarch64": "meshagent_aarch64"}
START_LIMIT = 60
TERMINAL = 1
# The agent starts bash and lets nobody choose: a mount that only it sees makes that /bin/sh, which
# the others run. `setpriv` ends it with this process, however that ends.
AGENT_COMMAND = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount",
                 *(() if os.geteuid() == 0 else ("--map-root-user",)), "sh", "-c",
                 'mount --bind "$(readlink -f /bin/sh)" "$(readlink -f /bin/bash)" && exec "$0"')


class MeshCentral:
    """Both processes, the web console's control connection, and the terminals that it opens."""

    def __init__(self, folder, package):
        self.folder = folder
        pki = folder / "pki"
        pki.mkdir(parents=True)
        peers.make_pki(pki)
        self.ca_file = pki / "ca.pem"
        self.context = ssl.create_default_context(cafile=self.ca_file)
        self.server = peers.MeshCentral(folder / "server", pki, package)
        self.agent = None
        self.server.start()
        try:
            self.control = WebSocket(self.server.port, self.context, "/control.ashx")
            settings = self.agent_settings(self.create_group())
            self.agent = self.start_agent(package, settings)
            self.node = self.await_node()
        except BaseException:
            self.stop()
            raise

    def ask(self, action, **arguments):
        """Sends a request as the web console does; its answer."""
        self.control.send_text(json.dumps({"action": action, "responseid": "bench", **arguments}))
        while True:
            opcode, payload = self.control.receive()
            answer = json.loads(payload) if opcode == TEXT else {}
            if answer.get("responseid") == "bench":
                return answer

    def create_group(self):
        answer = self.ask("createmesh", meshname="bench", meshtype=2)
        if "meshid" not in answer:
            raise RuntimeError(f"MeshCentral made no device group: {answer}")
        return answer["meshid"].split("/")[-1]

    def agent_settings(self, group):
        """What the server has its agents know: its address and the hash of its key."""
        connection = http.client.HTTPSConnection("localhost", self.server.port,
                                                 context=self.context)
        connection.request("GET", f"/meshsettings?id={group}")
        text = connection.getresponse().read().decode()
        connection.close()
        if f"MeshServer=wss://localhost:{self.server.port}/agent.ashx" not in text:
            raise RuntimeError(f"MeshCentral's settings for agents are unusable: {text[:500]}")
        return text

    def start_agent(self, package, settings):
        folder = self.folder / "agent"
        folder.mkdir()
        if platform.machine() not in AGENTS:
            raise RuntimeError(f"no agent of MeshCentral's is known for {platform.machine()}")
        program = folder / "meshagent"
        shutil.copy(package / "node_modules/meshcentral/agents" / AGENTS[platform.machine()],
                    program)
        program.chmod(0o755)
        (folder / "meshagent.msh").write_text(settings)
        with open(folder / "log", "wb") as log:
            return subprocess.Popen([*AGENT_COMMAND, str(program)], cwd=folder, stdout=log,
                                    stderr=log, stdin=subprocess.DEVNULL)

    def await_node(self):
        """The device's identifier, once it is connected and has told of its core."""
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end and self.agent.poll() is None:
            for nodes in self.ask("nodes")["nodes"].values():
                for node in nodes:
                    if node.get("conn", 0) & 1 and node.get("agent", {}).get("core"):
                        return node["_id"]
            time.sleep(0.1)
        raise RuntimeError("MeshCentral's agent does not come online:\n" +
                           (self.folder / "agent/log").read_text()[-2000:])

    def open_tunnel(self):
        """Has the agent dial for a terminal; the tunnel's identifier. It waits for 15 seconds."""
        if self.agent.poll() is not None:
            raise RuntimeError("MeshCentral's agent has ended:\n" +
                               (self.folder / "agent/log").read_text()[-2000:])
        self.control.drain()
        tunnel = secrets.token_hex(8)
        self.control.send_text(json.dumps({
            "action": "msg", "type": "tunnel", "nodeid": self.node, "usage": TERMINAL,
            "value": f"*/meshrelay.ashx?p={TERMINAL}&nodeid={self.node}&id={tunnel}"}))
        return tunnel

    def first_byte_ms(self):
        """From asking for a terminal to its first byte, connections included but for the control
        connection, which is kept."""
        begin = time.perf_counter()
        tunnel = WebSocket(self.server.port, self.context, "/meshrelay.ashx?browser=1&"
                           f"p={TERMINAL}&id={self.open_tunnel()}")
        opcode = None
        while opcode != BINARY:
            opcode, payload = tunnel.receive()
            if (opcode, payload) == (TEXT, b"c"):
                tunnel.send_text(str(TERMINAL))
        elapsed = (time.perf_counter() - begin) * 1e3
        tunnel.close()
        return elapsed

    def stop(self):
        if self.agent is not None:
            self.agent.kill()
            self.agent.wait()
        self.server.stop()
