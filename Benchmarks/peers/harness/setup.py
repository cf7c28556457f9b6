"""Everything that a comparison needs: Python packages in an environment of their own, jemalloc, our program.

Runs under the system's Python, so it uses nothing but the standard library.
"""

import glob
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import NoReturn

PEERS = Path(__file__).resolve().parent.parent
PACKAGE = PEERS.parent
TORCH = "2.13.0"
PACKAGES = ["onnx", "onnxruntime", "openvino", "numpy", "safetensors"]


def cache_folder() -> Path:
    """Where the environment, checkpoints and inputs are kept from run to run (about 10 GB)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "diffusion-segmentation-peers"


def run_in_environment(module: str, arguments: list[str]) -> NoReturn:
    """Becomes `python -m module arguments` with all packages, after setting up what is missing."""
    if not {"-h", "--help"} & set(arguments):
        install_jemalloc()
        build_contender()
    python = install_packages()
    os.execve(python, [str(python), "-m", module, *arguments], dict(os.environ, PYTHONPATH=str(PEERS)))


def install_packages() -> Path:
    folder = cache_folder() / "venv"
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = " ".join([TORCH, *PACKAGES])
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    say(f"installing PyTorch {TORCH}, {', '.join(PACKAGES)} into {folder}")
    if not python.exists():
        venv.create(folder, with_pip=True)
    # The build for processors alone, where the index serves it.
    if not any(pip(python, [f"torch=={version}"]) for version in [f"{TORCH}+cpu", TORCH]):
        sys.exit("PyTorch cannot be installed")
    for package in PACKAGES:
        if not pip(python, [package]):
            say(f"{package} cannot be installed: it will be missing from the comparison")
    stamp.write_text(wanted)
    return python


def pip(python: Path, packages: list[str]) -> bool:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    return subprocess.run(command, stdout=sys.stderr).returncode == 0


def find_jemalloc() -> str | None:
    """Path of the library, if it is installed."""
    found = sorted(glob.glob("/usr/lib/*/libjemalloc.so.2") + glob.glob("/usr/lib*/libjemalloc.so.2"))
    return found[0] if found else None


def install_jemalloc() -> None:
    if find_jemalloc():
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        say("installing libjemalloc2")
        subprocess.run(["apt-get", "update", "-qq"], stdout=sys.stderr)
        subprocess.run(["apt-get", "install", "-y", "-qq", "libjemalloc2"], stdout=sys.stderr)
    if not find_jemalloc():
        say("jemalloc is missing (`apt-get install libjemalloc2`): PyTorch is compared without it")


def build_contender() -> None:
    command = ["swift", "build", "-c", "release", "--package-path", str(PACKAGE), "--product", "contender"]
    if subprocess.run(command, stdout=sys.stderr).returncode != 0:
        sys.exit("our side does not build")


def contender_path() -> Path:
    return PACKAGE / ".build" / "release" / "contender"


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
