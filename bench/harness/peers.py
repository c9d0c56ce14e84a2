"""The relays that bench/run compares, each started on loopback with the same certificate: ours,
nginx, HAProxy and MeshCentral. A relay is an object with start(), stop(), pid and load_arguments."""

import hashlib
import json
import os
import pathlib
import resource
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*command, **options):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   **options)


def make_pki(folder):
    """A CA, and a certificate for localhost; P-256."""
    def key(name):
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
            folder / name)
    key("ca.key")
    run("openssl", "req", "-x509", "-new", "-key", folder / "ca.key", "-subj", "/CN=Bench CA",
        "-days", "30", "-out", folder / "ca.pem")
    key("server.key")
    run("openssl", "req", "-new", "-key", folder / "server.key", "-subj", "/CN=localhost", "-out",
        folder / "server.csr")
    (folder / "names").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    run("openssl", "x509", "-req", "-in", folder / "server.csr", "-CA", folder / "ca.pem", "-CAkey",
        folder / "ca.key", "-CAcreateserial", "-days", "30", "-extfile", folder / "names", "-out",
        folder / "server.pem")
    (folder / "both.pem").write_text(
        (folder / "server.pem").read_text() + (folder / "server.key").read_text())


def write_sessions(path, count):
    """A sessions file for relay_host: identifier, the Console's ticket, the device's."""
    with open(path, "w") as file:
        for number in range(count):
            file.write(f"s{number} {secrets.token_urlsafe(32)} {secrets.token_urlsafe(32)}\n")


class Relay:
    """What all have in common."""
    name = ""

    def __init__(self, folder, pki):
        self.folder = folder
        self.pki = pki
        self.process = None
        self.port = 0
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        self.port = free_port()
        self.launch()
        self.wait()

    def spawn(self, command, **options):
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log,
                                        stdin=subprocess.DEVNULL, **options)

    def wait(self):
        """Until a TLS handshake succeeds."""
        context = ssl.create_default_context(cafile=self.pki / "ca.pem")
        for _ in range(600):
            if self.process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as plain:
                    with context.wrap_socket(plain, server_hostname="localhost"):
                        return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{self.name} did not start; see {self.folder / 'log'}:\n" +
                           (self.folder / "log").read_text()[-2000:])

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def common_arguments(self):
        return [f"--port={self.port}", f"--ca={self.pki / 'ca.pem'}", f"--pid={self.pid}"]


class Fairlead(Relay):
    """Our listener and relay alone, one I/O thread, as the others have one worker."""
    name = "Fairlead"

    def __init__(self, folder, pki, program, sessions, io_threads=1):
        super().__init__(folder, pki)
        self.program = program
        self.io_threads = io_threads
        self.sessions_file = folder / "sessions"
        write_sessions(self.sessions_file, sessions)

    def launch(self):
        self.spawn([self.program, f"--port={self.port}", f"--cert={self.pki / 'server.pem'}",
                    f"--key={self.pki / 'server.key'}", f"--sessions={self.sessions_file}",
                    f"--io_threads={self.io_threads}"])

    def load_arguments(self):
        return self.common_arguments() + [f"--sessions_file={self.sessions_file}"]


class Proxy(Relay):
    """A reverse proxy in front of the device's ends, which the load generator serves."""

    def start(self):
        self.backend_port = free_port()
        super().start()

    def load_arguments(self):
        return self.common_arguments() + [
            "--relay=proxy", f"--backend_port={self.backend_port}",
            f"--backend_cert={self.pki / 'server.pem'}", f"--backend_key={self.pki / 'server.key'}"]


class Nginx(Proxy):
    """Tuned: one worker, no buffering of answers, records and tunnel buffers of 16 KiB, no access
    log, TCP_NODELAY (nginx's default), sessions of upstream TLS are reused (also a default)."""
    name = "nginx"
    reuse_upstream_tls = "on"

    def launch(self):
        config = self.folder / "nginx.conf"
        config.write_text(f"""
daemon off;
worker_processes 1;
worker_rlimit_nofile {NOFILE};
pid {self.folder}/pid;
error_log {self.folder}/error.log error;
events {{ worker_connections 20000; multi_accept on; }}
http {{
  access_log off;
  client_body_temp_path {self.folder}/t1;
  proxy_temp_path {self.folder}/t2;
  fastcgi_temp_path {self.folder}/t3;
  uwsgi_temp_path {self.folder}/t4;
  scgi_temp_path {self.folder}/t5;
  tcp_nodelay on;
  keepalive_timeout 3600s;
  server {{
    listen 127.0.0.1:{self.port} ssl backlog=4096;
    ssl_certificate {self.pki}/server.pem;
    ssl_certificate_key {self.pki}/server.key;
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    ssl_buffer_size 16k;
    location / {{
      proxy_pass https://127.0.0.1:{self.backend_port};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_buffering off;
      proxy_buffer_size 16k;
      proxy_buffers 4 16k;
      proxy_ssl_session_reuse {self.reuse_upstream_tls};
      proxy_ssl_protocols TLSv1.3;
      proxy_ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }}
  }}
}}
""")
        self.spawn(["/usr/sbin/nginx", "-p", self.folder, "-c", config])


class NginxFullHandshakes(Nginx):
    """Two full handshakes a session, as it takes to check each time a certificate that may have
    been revoked."""
    name = "nginx-full-handshakes"
    reuse_upstream_tls = "off"


class HaProxy(Proxy):
    """One thread, the default buffers of 16 KiB."""
    name = "HAProxy"

    def launch(self):
        config = self.folder / "haproxy.cfg"
        config.write_text(f"""
global
  nbthread 1
  maxconn 9000
  ssl-default-bind-options ssl-min-ver TLSv1.3
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
  ssl-default-server-options ssl-min-ver TLSv1.3
  ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
frontend consoles
  bind 127.0.0.1:{self.port} ssl crt {self.pki}/both.pem alpn http/1.1 backlog 4096
  default_backend devices
backend devices
  server device 127.0.0.1:{self.backend_port} ssl verify none
""")
        self.spawn(["/usr/sbin/haproxy", "-db", "-f", config])


# MeshCentral can make and read RSA web certificates alone, but hands them to Node, which can more.
P256_SHIM = """
const fs = require('fs');
const https = require('https');
const create = https.createServer;
https.createServer = function (options, listener) {
  const identity = {
    cert: fs.readFileSync(process.env.BENCH_CERTIFICATE),
    key: fs.readFileSync(process.env.BENCH_KEY),
    ca: undefined,
  };
  return create.call(https, Object.assign({}, options, identity), listener);
};
"""


class MeshCentral(Relay):
    """Its relay path with both legs logged in as the default user; no recording, no compression."""
    name = "MeshCentral"

    def __init__(self, folder, pki, package):
        super().__init__(folder, pki)
        self.package = package
        self.data = folder / "meshcentral-data"
        self.data.mkdir(exist_ok=True)
        self.shim = folder / "p256.js"
        self.shim.write_text(P256_SHIM)

    def configure(self):
        settings = {
            # Without a dot the server would look for agents in the local network.
            "cert": "bench.localhost", "agentAliasDNS": "localhost", "portBind": "127.0.0.1",
            "port": self.port, "aliasPort": self.port, "exactPorts": True, "redirPort": 0,
            "mpsPort": 0, "user": "admin", "WANonly": True, "selfUpdate": False,
            "autoBackup": False, "tlsCiphers": "TLS_AES_128_GCM_SHA256",
            # Nothing is to be fetched while measuring.
            "npmProxy": "http://127.0.0.1:9", "agentTimeStampServer": False,
        }
        certificate = ssl.PEM_cert_to_DER_cert((self.pki / "server.pem").read_text())
        domain = {
            "title": "bench",
            # Agents are told this of the certificate that the shim hands over.
            "certHash": hashlib.sha384(certificate).hexdigest(),
            # No use of proxies, and nothing typed into a new terminal.
            "agentNoProxy": True, "terminal": {"launchCommand": {"linux": ""}},
        }
        config = {"settings": settings, "domains": {"": domain}}
        (self.data / "config.json").write_text(json.dumps(config))

    def command(self):
        return ["node", self.package / "node_modules/meshcentral", "--datapath", self.data]

    def launch(self):
        self.configure()
        if not (self.data / "meshcentral.db").exists():
            run(*map(str, self.command()), "--createaccount", "admin", "--pass",
                secrets.token_hex(12), cwd=self.folder)
        environment = dict(os.environ, NODE_OPTIONS=f"--require {self.shim}",
                           BENCH_CERTIFICATE=str(self.pki / "server.pem"),
                           BENCH_KEY=str(self.pki / "server.key"))
        self.spawn(self.command(), cwd=self.folder, env=environment, start_new_session=True)

    def stop(self):
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None

    def load_arguments(self):
        return self.common_arguments() + ["--relay=meshcentral"]


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


NOFILE = raise_descriptor_limit()


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)


def as_path(text):
    return pathlib.Path(text).resolve()
