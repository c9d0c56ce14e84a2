#!/usr/bin/env python3
"""Rules of the sources that no compiler checks: which folder may include what, no shell, no sleep in
tests, no co_await idiom that g++ 12.2 miscompiles, a head comment in every file, no pipe that pipefail makes
fail at times. Run by ./test."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Folder: what its sources may include of ours, and of others.
FIRST_PARTY = {
    "base": {"base"},
    "proto": {"proto", "base"},
    "dataplane": {"base", "dataplane"},
    "terminal": {"proto", "base", "terminal"},
    "gateway": {"proto", "base", "dataplane", "gateway"},
    "control": {"proto", "base", "control"},
    "device": {"proto", "base", "terminal", "dataplane", "device"},
    "console": {"proto", "base", "terminal", "dataplane", "console"},
}
# server_main composes the two halves of the UMS Server, and the web console that it serves.
EXCEPTIONS = {("control/server_main.cc", "gateway"), ("control/server_main.cc", "dataplane"),
              ("control/server_main.cc", "console")}
FOREIGN = {
    "google/protobuf/": {"proto", "terminal", "gateway", "control", "device", "console"},
    "grpc": {"proto", "gateway", "control", "console", "base/grpc"},
    "boost/beast": {"dataplane"},
    "boost/asio": {"dataplane", "gateway", "device", "console"},
    "openssl/": {"dataplane", "gateway", "control", "device", "console"},
    "sqlite3.h": {"control"},
    # The vectors of Telnet are JSON, so that other languages can read them too.
    "nlohmann/": {"console", "terminal/telnet_client_test"},
}
# Where Beast's templates are instantiated: few files, since each takes most of a minute.
MAX_BEAST_FILES = 8
# The one header among them: the template that is instantiated for TLS and, in a test, for memory.
BEAST_HEADERS = {"dataplane/beast_websocket_core.h"}

INCLUDE = re.compile(r'^\s*#include\s+["<]([^">]+)[">]', re.MULTILINE)
SHELL = re.compile(r"(?<![\w.:>])(?:std::)?(?:system|popen)\s*\(")
SLEEP = re.compile(r"\b(?:sleep_for|sleep_until|usleep|nanosleep|absl::SleepFor|SleepFor)\s*\(")
MISCOMPILED = re.compile(
    r"co_await[^;]*?(?:\[[^\]]*[&=\w][^\]]*\]\s*(?:\(|mutable|\{)|\(\{|,\s*\{)", re.DOTALL)
# Under pipefail, what reads only a part of its input makes the command before it fail, at times.
PARTLY_READ = re.compile(r"(?<!\|)\|\s*(?:grep\s+(?:-\w+\s+)*-\w*[qm]|head\b|sed\b[^|]*;q\b)")
LEFT_OVER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK|NOLINT)\b")


def scripts():
    listed = subprocess.run(["git", "grep", "-lE", "^set .*pipefail"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.split()
    return [name for name in listed if not name.endswith((".py", ".md"))]


def check_script(name, text):
    for match in PARTLY_READ.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{name}:{line}: a pipe into what does not read to the end; use <<< \"$variable\""


def strip_comments(text):
    """The code without comments and string contents, line numbers kept."""
    def blank(match):
        token = match.group(0)
        if token.startswith("/"):
            return re.sub(r"[^\n]", " ", token)
        return '""' + "\n" * token.count("\n")
    return re.sub(r'R"(\w*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', blank, text,
                  flags=re.DOTALL)


def sources():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.h", "*.cc", "*.proto"],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    return [name for name in listed if (ROOT / name).exists()]


def allowed_foreign(name, folder, folders):
    return folder in folders or any(name.startswith(prefix) for prefix in folders if "/" in prefix)


def check_includes(name, text):
    folder = name.split("/")[0]
    if folder not in FIRST_PARTY:
        return
    for include in INCLUDE.findall(text):
        top = include.split("/")[0]
        if top in FIRST_PARTY and top not in FIRST_PARTY[folder] and (name, top) not in EXCEPTIONS:
            yield f"{name}: includes {include}, but {folder} may not use {top}"
        for prefix, folders in FOREIGN.items():
            if include.startswith(prefix) and not allowed_foreign(name, folder, folders):
                if (name, "gateway") not in EXCEPTIONS:
                    yield f"{name}: includes {include}, which {folder} may not use"


def check_code(name, text):
    code = strip_comments(text)
    patterns = [
        (SHELL, "runs a shell"),
        (MISCOMPILED, "has a lambda or a braced argument inside co_await"),
    ]
    if name.startswith("tests/") or name.endswith("_test.cc"):
        patterns.append((SLEEP, "sleeps; wait on a fact instead"))
    for pattern, message in patterns:
        for match in pattern.finditer(code):
            line = code.count("\n", 0, match.start()) + 1
            yield f"{name}:{line}: {message}"
    for match in LEFT_OVER.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{name}:{line}: {match.group(0)} is left over"


def check_head(name, text):
    lines = text.splitlines()[:6]
    if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines):
        yield f"{name}: no licence line"
    # A source is described at the head of its header.
    has_header = name.endswith(".cc") and (ROOT / (name[:-3] + ".h")).exists()
    if not has_header and sum(line.startswith("//") for line in lines) < 2:
        yield f"{name}: no comment at its head that says what it is"


def main():
    problems = []
    beast = []
    for name in sources():
        text = (ROOT / name).read_text(encoding="utf-8")
        if not name.startswith("third_party/"):
            problems += check_head(name, text)
        if name.endswith(".proto"):
            continue
        problems += check_includes(name, text)
        problems += check_code(name, text)
        if not name.endswith("_test.cc") and "boost/beast" in text:
            beast.append(name)
    headers = [name for name in beast if name.endswith(".h") and name not in BEAST_HEADERS]
    problems += [f"{name}: a header that drags in Beast" for name in headers]
    if len(beast) > MAX_BEAST_FILES:
        problems.append(f"{len(beast)} files include Beast, more than {MAX_BEAST_FILES}: {beast}")
    for name in scripts():
        problems += check_script(name, (ROOT / name).read_text(encoding="utf-8"))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
