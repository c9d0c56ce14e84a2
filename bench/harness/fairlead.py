"""A whole Fairlead of real processes on loopback: a server, an ICG and an agent on each. Used by
terminals.py."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import time

from websocket import BINARY, WebSocket

PROFILES = 'profiles { name: "sh" argv: "/bin/sh" }\n'
START_LIMIT = 60
# A connection that rested for so many seconds is not used again: after 60 the server closes it.
REST_LIMIT = 30


class Fairlead:
    """Processes and a REST client."""

    def __init__(self, binaries, folder, over_icg):
        self.binaries = binaries
        self.folder = folder
        folder.mkdir(parents=True)
        (folder / "profiles").write_text(PROFILES)
        self.processes = {}
        self.port = self.listen("server", "control/server", [
            "--listen=127.0.0.1:0", f"--state_dir={folder / 'server'}",
            "--sessions_per_user_per_minute=0"])
        self.ca_file = folder / "server/ca.pem"
        self.context = ssl.create_default_context(cafile=self.ca_file)
        self.connection = http.client.HTTPSConnection("localhost", self.port, context=self.context)
        self.last_call = time.monotonic()
        self.token = None
        password = (folder / "server/admin_password").read_text().strip()
        self.token = self.call("POST", "/api/v1/login", {
            "username": "admin", "password": password})["accessToken"]
        self.icg_port = self.start_icg() if over_icg else None
        self.agents = {}
        self.start_agent("00E0C5000001", self.port)
        if over_icg:
            self.start_agent("00E0C5000002", self.icg_port)

    def spawn(self, name, program, arguments):
        log = open(self.folder / f"{name}.log", "ab")
        environment = dict(os.environ, ENV="", PS1="$ ")
        process = subprocess.Popen([str(self.binaries / program), *map(str, arguments)],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env=environment)
        self.processes[name] = process
        return process

    def fail(self, what):
        logs = "\n".join(f"--- {path.name}\n{path.read_text()[-1500:]}"
                         for path in self.folder.glob("*.log"))
        raise RuntimeError(f"{what}\n{logs}")

    def until(self, what, done):
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end:
            value = done()
            if value:
                return value
            time.sleep(0.05)
        return self.fail(what)

    def listen(self, name, program, arguments):
        port_file = self.folder / f"{name}.port"
        process = self.spawn(name, program, [*arguments, f"--port_file={port_file}"])

        def port():
            if process.poll() is not None:
                self.fail(f"{name} ended at once")
            text = port_file.read_text().strip() if port_file.exists() else ""
            return int(text) if text else 0
        return self.until(f"{name} does not listen", port)

    def call(self, method, path, body=None):
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        # A connection that is closed is opened anew by a request.
        if time.monotonic() - self.last_call > REST_LIMIT:
            self.connection.close()
        self.last_call = time.monotonic()
        self.connection.request(method, path, json.dumps(body) if body is not None else None,
                                headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            self.fail(f"{method} {path}: {answer.status} {text}")
        return json.loads(text)

    def start_icg(self):
        # The bundle names the port, which is known only once the ICG listens: choose it first.
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        bundle = self.call("POST", "/api/v1/icgs", {"icg": {
            "name": "icgs/bench", "internalAddress": f"grpcs://localhost:{port}",
            "externalAddress": f"localhost:{port}"}})
        path = self.folder / "icg.bundle"
        path.write_text(json.dumps(bundle))
        path.chmod(0o600)
        self.listen("icg", "gateway/icg", [f"--listen=127.0.0.1:{port}", f"--bundle={path}"])
        self.until("the ICG is not connected", lambda: any(
            icg.get("state") == "CONNECTED" for icg in self.call("GET", "/api/v1/icgs")["icgs"]))
        return port

    def start_agent(self, unit_id, port):
        folder = self.folder / unit_id
        folder.mkdir()
        key = self.call("POST", "/api/v1/firstAuthenticationKeys", {"type": "ONE_TIME"})["key"]
        (folder / "key").write_text(key)
        (folder / "key").chmod(0o600)
        self.agents[unit_id] = self.spawn(unit_id, "device/agent", [
            "--os=12", f"--server=localhost:{port}", f"--unit_id={unit_id}",
            f"--state_dir={folder}", f"--key_file={folder / 'key'}", f"--ca_file={self.ca_file}",
            f"--profiles_file={self.folder / 'profiles'}"])

        def online():
            devices = self.call("GET", "/api/v1/devices").get("devices", [])
            return any(device["unitId"] == unit_id and
                       device.get("connection", {}).get("state") == "ONLINE" for device in devices)
        self.until(f"{unit_id} does not come online", online)

    def create_session(self, unit_id):
        return self.call("POST", f"/api/v1/devices/{unit_id}/sessions", {})

    def first_byte_ms(self, unit_id):
        """From asking for a session to the first byte of the terminal, connections included but for
        that of the REST client, which is kept."""
        begin = time.perf_counter()
        session = self.create_session(unit_id)
        port = int(session["consoleUrl"].split(":")[2].split("/")[0])
        tunnel = WebSocket(port, self.context, "/console-connector/terminal", [
            "Sec-WebSocket-Protocol: fairlead.terminal.v1, "
            f"fairlead.ticket.{session['consoleTicket']}"])
        while tunnel.receive()[0] != BINARY:
            pass
        elapsed = (time.perf_counter() - begin) * 1e3
        tunnel.close()
        return elapsed

    def stop(self):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
