"""Builds the programs of benches/peers."""

import pathlib
import subprocess

from process import Failure

ROOT = pathlib.Path(__file__).resolve().parent.parent


def build(names, options) -> dict:
    """Compiles the programs and returns their paths."""
    options.out.mkdir(parents=True, exist_ok=True)
    flags = ["-std=c99", "-O2", "-Wall", "-Wextra"]
    with_library = ["-I", str(options.include), "-pthread"]
    if "netsys" in names:
        library = (options.lib / "libnetwork_system.so").resolve()
        if not library.exists():
            raise Failure(f"no {library}: build the library first, or use --peers epoll")
        links = options.out / "lib"
        links.mkdir(exist_ok=True)
        for name in ("libnetwork_system.so", "libnetwork_system.so.2"):
            link = links / name
            link.unlink(missing_ok=True)
            link.symlink_to(library)
        with_library += ["-L", str(links), f"-Wl,-rpath,{links}", "-lnetwork_system"]
    sources = {"epoll": ("epoll.c", []), "netsys": ("netsys.c", with_library),
               "monitor": ("monitor.c", ["-D_GNU_SOURCE", *with_library])}
    programs = {}
    for name in names:
        if name not in sources:
            continue
        source, more = sources[name]
        programs[name] = options.out / name
        command = [options.cc, *flags, str(ROOT / "benches" / "peers" / source), "-o", str(programs[name]), *more]
        if subprocess.run(command).returncode != 0:
            raise Failure(f"{source} does not compile")
    return programs
