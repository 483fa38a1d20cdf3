#!/usr/bin/env python3
"""The supply chain: what deny.toml asks of all crates, how many they are, and the notices of those that are shipped.

    check.py                      checks everything; needs cargo-deny, and the crates: cargo fetch --locked
    check.py --update             writes LICENSE-THIRD-PARTY anew
    check.py --refresh FOLDER     replaces the snapshot of advisories from a clone of RustSec's database
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SNAPSHOT = ROOT / "tests" / "supply" / "advisories"
NOTICES = ROOT / "LICENSE-THIRD-PARTY"
MOST_CRATES = 120
# Where cargo-deny looks for the database of deny.toml's db-urls: the name is a digest of the URL.
DATABASES = ROOT / "target" / "supply" / "advisory-dbs"
DATABASE = DATABASES / "advisory-db-3157b0e258782691"
SHIPPED_ON = "x86_64-unknown-linux-gnu"
LICENCE_FILE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|COPYRIGHT)", re.IGNORECASE)
# Code from elsewhere inside a crate, with terms of its own that its top folder does not repeat.
INNER = {
    "ring": ("third_party/fiat/LICENSE",),
    "zstd-sys": ("zstd/LICENSE",),
}


class Failure(Exception):
    """A rule is broken."""


def cargo(*arguments: str) -> str:
    result = subprocess.run(["cargo", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise Failure(f"cargo {arguments[0]} failed: is Cargo.lock up to date, and did `cargo fetch --locked` run?")
    return result.stdout


def locked() -> list:
    """The packages of Cargo.lock other than our own."""
    entry = re.compile(r'\[\[package]]\nname = "(?P<name>.+)"\nversion = "(?P<version>.+)"\n'
                       r'(?:source = "(?P<source>.+)"\n)?(?:checksum = "(?P<checksum>.+)"\n)?')
    text = (ROOT / "Cargo.lock").read_text()
    packages = [found.groupdict() for found in entry.finditer(text)]
    if len(packages) != text.count("[[package]]") or not packages:
        raise Failure(f"{len(packages)} packages of Cargo.lock can be read: has its format changed?")
    return [package for package in packages if package["name"] != "network_system"]


def shipped() -> list:
    """The crates whose code is in the library on Linux: no development or build dependencies, no procedural macros."""
    tree = cargo("tree", "--frozen", "--all-features", "--target", SHIPPED_ON, "--edges", "normal,no-proc-macro",
                 "--prefix", "none", "--no-dedupe", "--format", "{p}")
    names = {tuple(line.split()[:2]) for line in tree.splitlines() if line}
    metadata = json.loads(
        cargo("metadata", "--format-version", "1", "--frozen", "--all-features", "--filter-platform", SHIPPED_ON))
    packages = [package for package in metadata["packages"]
                if package["source"] and (package["name"], "v" + package["version"]) in names]
    return sorted(packages, key=lambda package: (package["name"], package["version"]))


def check_lock(packages: list) -> None:
    """Everything comes from the registry and is what it was when it was locked."""
    for package in packages:
        from_registry = (package["source"] or "").startswith("registry+")
        if not from_registry or not re.fullmatch("[0-9a-f]{64}", package["checksum"] or ""):
            raise Failure(f"{package['name']} {package['version']} is not from a registry, or has no checksum")
    if len(packages) > MOST_CRATES:
        raise Failure(f"{len(packages)} crates in Cargo.lock: {MOST_CRATES} is the most")


def lay_out_database(more: dict) -> None:
    """cargo-deny takes a database only as a git repository: one is made of the snapshot and of `more` files."""
    shutil.rmtree(DATABASES, ignore_errors=True)
    shutil.copytree(SNAPSHOT / "crates", DATABASE / "crates")
    for path, text in more.items():
        (DATABASE / "crates" / path).parent.mkdir(parents=True, exist_ok=True)
        (DATABASE / "crates" / path).write_text(text)
    # Whoever runs this may be in a git hook, whose variables would name the wrong repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    git = ["git", "-C", str(DATABASE), "-c", "user.name=check", "-c", "user.email=check@localhost",
           "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--no-verify", "-m", "snapshot"]):
        subprocess.run([*git, *command], check=True, env=environment)


def deny(*checks: str) -> subprocess.CompletedProcess:
    command = ["cargo-deny", "--frozen", "--color", "never", "check", *checks]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def check_rules(victim: dict) -> None:
    """deny.toml holds. And the advisories are really read: an invented one for a crate we have must be found."""
    invented = (f'```toml\n[advisory]\nid = "RUSTSEC-1999-0001"\npackage = "{victim["name"]}"\ndate = "1999-01-01"\n\n'
                '[versions]\npatched = []\n```\n\n# Invented\n\nTo see that it is found.\n')
    lay_out_database({f"{victim['name']}/RUSTSEC-1999-0001.md": invented})
    result = deny("advisories")
    if result.returncode == 0 or "RUSTSEC-1999-0001" not in result.stdout:
        raise Failure(f"cargo-deny did not find an advisory that was made for {victim['name']}:\n{result.stdout}")
    lay_out_database({})
    result = deny("all")
    print(result.stdout.strip())
    if result.returncode != 0:
        raise Failure("deny.toml does not hold: see above")


def notices_of(package: dict) -> list:
    """The files with a crate's terms. Where MIT is one of a choice, it is the one that is taken."""
    folder = pathlib.Path(package["manifest_path"]).parent
    files = sorted(path for path in folder.iterdir() if path.is_file() and LICENCE_FILE.match(path.name))
    choices = re.split(r" OR |/", package["license"] or "")
    if "MIT" in choices and len(choices) > 1 and any("MIT" in path.name for path in files):
        files = [path for path in files if "MIT" in path.name]
    files += [folder / inner for inner in INNER.get(package["name"], ())]
    if not files or not package["license"]:
        raise Failure(f"{package['name']} {package['version']} has no licence, or no file with its terms")
    return files


def notices(packages: list) -> str:
    texts = {}
    lines = ["THIRD-PARTY CODE", "",
             "The library holds code of the crates below, and of the Rust standard library (MIT OR Apache-2.0,",
             "https://www.rust-lang.org). Their terms follow, each once, under the names of the crates they are of.",
             "Where MIT is one of a choice, it is given. Written by tests/supply/check.py --update.", ""]
    for package in packages:
        name = f"{package['name']} {package['version']}"
        lines.append(f"{name}: {package['license']}")
        for path in notices_of(package):
            text = "\n".join(line.rstrip() for line in path.read_text().strip().splitlines())
            texts.setdefault(text, []).append(name)
    for text, names in texts.items():
        lines += ["", "-" * 80, ", ".join(dict.fromkeys(names)), "-" * 80, "", text]
    return "\n".join(lines) + "\n"


def refresh(clone: pathlib.Path) -> None:
    names = {package["name"] for package in locked()}
    git = ["git", "-C", str(clone), "log", "-1", "--format=%H %cs"]
    commit = subprocess.run(git, stdout=subprocess.PIPE, text=True, check=True).stdout
    if not (clone / "crates").is_dir():
        raise Failure(f"{clone} is no clone of RustSec's database")
    shutil.rmtree(SNAPSHOT / "crates")
    for name in sorted(names):
        if (clone / "crates" / name).is_dir():
            shutil.copytree(clone / "crates" / name, SNAPSHOT / "crates" / name)
    (SNAPSHOT / "SNAPSHOT").write_text(f"RustSec/advisory-db {commit}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--refresh", type=pathlib.Path, metavar="FOLDER")
    options = parser.parse_args()
    if options.refresh:
        refresh(options.refresh)
        return
    ours = shipped()
    text = notices(ours)
    if options.update:
        NOTICES.write_text(text)
        return
    packages = locked()
    check_lock(packages)
    check_rules(ours[0])
    if not NOTICES.exists() or NOTICES.read_text() != text:
        raise Failure(f"{NOTICES.name} is not that of Cargo.lock: tests/supply/check.py --update writes it anew")
    known = len(list((SNAPSHOT / "crates").glob("*/*.md")))
    print(f"{len(packages)} crates in Cargo.lock, at most {MOST_CRATES}; {len(ours)} of them in the library; "
          f"{known} advisories in the snapshot")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"supply: {failure}")
