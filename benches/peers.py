"""The programs that benchmarks run: what each is made of, and how it is built.

A peer runs the workloads of peers/workload.h, all with the same arguments; which framings it knows says whether it has
rows with frames, raw ones, or both. A program without framings is no peer.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import subprocess

from process import Failure

SOURCES = pathlib.Path(__file__).resolve().parent / "peers"
FLAGS = {".c": ["-std=c99"], ".cpp": ["-std=c++17"]}
FLAGS_OF_ALL = ["-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread"]


class NotInstalled(Failure):
    """What a program is built with is not on this machine."""


@dataclasses.dataclass(frozen=True)
class Program:
    """`header` is what it includes of another project, `packages` is where Debian has that."""

    source: str
    framings: tuple = ()
    library: bool = False
    flags: tuple = ()
    links: tuple = ()
    pkg_config: str = ""
    header: str = ""
    packages: tuple = ()


PROGRAMS = {
    "epoll": Program("epoll.c", ("framed", "raw")),
    "netsys": Program("netsys.c", ("framed", "raw"), library=True),
    "netsys_cpp": Program("netsys_cpp.cpp", ("framed", "raw"), library=True),
    "zeromq": Program("zeromq.c", ("framed",), pkg_config="libzmq", header="zmq.h", packages=("libzmq3-dev",)),
    "nng": Program("nng.c", ("framed",), links=("-lnng",), header="nng/nng.h", packages=("libnng-dev",)),
    "libuv": Program("libuv.c", ("framed", "raw"), pkg_config="libuv", header="uv.h", packages=("libuv1-dev",)),
    "asio_usual": Program("asio_usual.cpp", ("framed", "raw"), flags=("-DASIO_STANDALONE",), header="asio.hpp",
                          packages=("libasio-dev",)),
    "asio_tuned": Program("asio_tuned.cpp", ("framed", "raw"), flags=("-DASIO_STANDALONE",), header="asio.hpp",
                          packages=("libasio-dev",)),
    "monitor": Program("monitor.c", library=True, flags=("-D_GNU_SOURCE",)),
}

PEERS = tuple(name for name, program in PROGRAMS.items() if program.framings)


def compiler(program: Program, options: argparse.Namespace) -> list:
    suffix = pathlib.Path(program.source).suffix
    return [options.cxx if suffix == ".cpp" else options.cc, *FLAGS[suffix]]


def missing(name: str, program: Program) -> NotInstalled:
    packages = " ".join(program.packages)
    return NotInstalled(f"{name}: no {program.header}: install Debian's {packages}, or run .ci/setup bench")


def flags_of_others(name: str, program: Program, options: argparse.Namespace) -> tuple:
    """What the compiler, and what the linker needs for another project. Warnings in its headers do not count."""
    compile_flags, link_flags = list(program.flags), list(program.links)
    if program.pkg_config:
        try:
            command = ["pkg-config", "--cflags", "--libs", program.pkg_config]
            found = subprocess.run(command, capture_output=True, text=True)
        except FileNotFoundError:
            raise NotInstalled(f"{name}: no pkg-config: install Debian's pkg-config, or run .ci/setup bench") from None
        if found.returncode != 0:
            raise missing(name, program)
        for flag in found.stdout.split():
            if flag.startswith(("-l", "-L", "-Wl,")):
                link_flags.append(flag)
            else:
                compile_flags.append("-isystem" + flag[2:] if flag.startswith("-I") else flag)
    if program.header:
        language = "c" if program.source.endswith(".c") else "c++"
        check = [*compiler(program, options), *compile_flags, "-include", program.header, "-E", "-x", language]
        check.append("/dev/null")
        if subprocess.run(check, capture_output=True).returncode != 0:
            raise missing(name, program)
    return compile_flags, link_flags


def require(name: str, options: argparse.Namespace) -> None:
    """Raises NotInstalled if something is missing."""
    flags_of_others(name, PROGRAMS[name], options)


def flags_of_library(options: argparse.Namespace) -> tuple:
    library = (options.lib / "libnetwork_system.so").resolve()
    if not library.exists():
        raise Failure(f"no {library}: build the library first, or use --peers epoll")
    # A build tree has no link of the soname; ours point at the file itself.
    links = options.out / "lib"
    links.mkdir(exist_ok=True)
    for name in ("libnetwork_system.so", "libnetwork_system.so.2"):
        link = links / name
        link.unlink(missing_ok=True)
        link.symlink_to(library)
    return ["-I", str(options.include)], ["-L", str(links), f"-Wl,-rpath,{links}", "-lnetwork_system"]


def build(names: list, options: argparse.Namespace) -> dict:
    """Compiles the programs of these names into `options.out` and returns their paths by name. `options` also has
    `cc`, `cxx`, and the library's `include` and `lib`."""
    options.out.mkdir(parents=True, exist_ok=True)
    commands = {}
    for name in dict.fromkeys(names):  # what is missing shows before anything is compiled
        program = PROGRAMS[name]
        compile_flags, link_flags = flags_of_others(name, program, options)
        if program.library:
            includes, links = flags_of_library(options)
            compile_flags, link_flags = [*compile_flags, *includes], [*link_flags, *links]
        commands[name] = [*compiler(program, options), *FLAGS_OF_ALL, *compile_flags, str(SOURCES / program.source),
                          "-o", str(options.out / name), *link_flags]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, done in zip(commands, pool.map(subprocess.run, commands.values())):
            if done.returncode != 0:
                raise Failure(f"{PROGRAMS[name].source} does not compile")
    return {name: options.out / name for name in commands}
