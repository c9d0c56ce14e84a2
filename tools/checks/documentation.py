#!/usr/bin/env python3
"""Checks the documentation: every top folder has a README, every relative link leads somewhere.
Run by ./test."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ["base", "console", "control", "dataplane", "device", "gateway", "proto", "terminal",
           "tests", "third_party", "tools", "docs", "bench"]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def main():
    problems = []
    for folder in FOLDERS:
        if (ROOT / folder).is_dir() and not (ROOT / folder / "README.md").exists():
            problems.append(f"{folder}/README.md is missing")
    pages = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT,
        check=True, capture_output=True, text=True).stdout.split()
    for page in pages:
        path = ROOT / page
        if not path.exists():
            continue
        for target in LINK.findall(path.read_text(encoding="utf-8")):
            if "://" in target or target.startswith("mailto:"):
                continue
            if not (path.parent / target).exists():
                problems.append(f"{page}: the link to {target} leads nowhere")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
