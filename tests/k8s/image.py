"""The image without a container engine: its steps and its processes in a root of their own.

The RUN lines of the Dockerfile are executed as they stand, each in a mount namespace whose root is
a folder: the host's /usr and Python in place of the base image, and what COPY brings. Afterwards a
process runs in the same root as a pod would run it: read-only but for its volumes, user 10001, no
capability, no way to new privileges, the variables of the Dockerfile and no others.

It needs a host that is root and has Debian's layout.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from k8s.tools import CACHE, ROOT

USER = 10001
# What the base image has below /etc as far as anything here reads it.
ETC = ("ssl", "resolv.conf", "hosts", "nsswitch.conf", "ld.so.cache", "passwd", "group")
ENTER = """
set -eu
root=$1 writable=$2 python=$3; shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
for each in usr proc dev; do mount --rbind "/$each" "$root/$each"; done
mount -o remount,bind,ro "$root/usr"
mount --bind "$python" "$root/python"
mount -o remount,bind,ro "$root/python"
if [ "$writable" != all ]; then
  mount -o remount,bind,ro "$root"
  for each in $writable; do mount --bind "$root-volumes$each" "$root$each"; done
fi
exec /usr/sbin/chroot "$root" "$@"
"""
AS_A_POD = (
    *("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs"),
    *("--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"),
)

Instruction = tuple[str, str]


def instructions() -> list[Instruction]:
    """Every instruction of the Dockerfile with what it is told, lines joined."""
    text = (ROOT / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined)]


def stages() -> list[list[Instruction]]:
    """The instructions of each stage, that which names its base first."""
    made: list[list[Instruction]] = []
    for each in instructions():
        if each[0] == "FROM":
            made.append([])
        if made:
            made[-1].append(each)
    return made


def variables() -> dict[str, str]:
    """What the last stage sets."""
    [told] = [rest for word, rest in stages()[-1] if word == "ENV"]
    return dict(pair.split("=", 1) for pair in told.split())


def prepare(root: Path) -> None:
    """An empty root over the host's /usr."""
    for name in ("usr", "python", "proc", "dev", "etc", "tmp", "src", "opt", "var"):
        (root / name).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path("/", name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")
    for name in ETC:
        given = Path("/etc", name)
        if given.is_dir():
            shutil.copytree(
                given, root / "etc" / name, symlinks=False, ignore_dangling_symlinks=True
            )
        elif given.exists():
            shutil.copy(given, root / "etc" / name)
    # The base image calls it `python`.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (root / "names").mkdir()
    (root / "names" / "python").symlink_to(f"/python/bin/{version}")
    (root / "tmp").chmod(0o1777)
    for each in (root, *root.parents[:2]):
        each.chmod(0o755)


def wheels() -> Path:
    """Every wheel of the image's lock, fetched once; pip checks its hash each time."""
    lock = ROOT / "k8s" / "requirements.txt"
    folder = CACHE / f"wheels-{sha256(lock.read_bytes()).hexdigest()[:16]}"
    if not folder.is_dir():
        begun = folder.with_suffix(".new")
        shutil.rmtree(begun, ignore_errors=True)
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes"),
                *("--only-binary", ":all:", "--dest", begun, "--requirement", lock),
            ],
            check=True,
            timeout=240,
        )
        begun.rename(folder)
    return folder


def copy(root: Path, told: str) -> None:
    """One COPY of the first stage."""
    *given, target = told.split()
    for name in given:
        into = root / "src" / target
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, into, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            into = into / source.name if target.endswith("/") else into
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, into)


def run(root: Path, command: str) -> None:
    """One RUN of the first stage, as root, with the network."""
    told = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    # What was fetched once is not fetched again.
    told |= {"PIP_FIND_LINKS": "/wheels", "PIP_NO_INDEX": "1"}
    told |= {"PATH": "/names:/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp"}
    done = subprocess.run(
        [*_enter(root, "all"), "sh", "-ec", f"cd /src; {command}"],
        env=told,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2_000:]}\n{done.stderr[-2_000:]}"


def as_a_pod(
    root: Path,
    arguments: Sequence[str],
    volumes: Sequence[str] = ("/tmp",),
    environment: Mapping[str, str] | None = None,
) -> "subprocess.Popen[str]":
    """Start the image's entry point with arguments; `volumes` are its writable folders."""
    for volume in volumes:
        (root / volume.lstrip("/")).mkdir(parents=True, exist_ok=True)
        lies = Path(f"{root}-volumes{volume}")
        lies.mkdir(parents=True, exist_ok=True)
        os.chown(lies, 0, USER)  # as fsGroup has it
        lies.chmod(0o2775)
    return subprocess.Popen(
        [
            *_enter(root, " ".join(volumes)),
            *AS_A_POD,
            *("sh", "-c", 'cd /tmp; exec "$@"', "sh", "aeo", *arguments),
        ],
        env=variables() | dict(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _enter(root: Path, writable: str) -> list[str]:
    return ["unshare", "--mount", "sh", "-c", ENTER, "enter", str(root), writable, sys.base_prefix]
