"""The page that vouches for the files beside it: names, shapes, checksums, and the circumstances they were made in."""

import hashlib
import json
import math
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import equinox
import jax

import ostinato
from ostinato.errors import CorruptFile, SettingsError
from ostinato.runs.storage import read_file

FORMAT = 1
"""Version of the layout; a reader refuses what is newer than itself."""

MANIFEST = "manifest.json"
LARGEST_MANIFEST = 8 << 20


def environment() -> dict[str, Any]:
    """What the same bits depend on: versions, platform, devices, precision."""
    return {
        "ostinato": ostinato.__version__,
        "jax": jax.__version__,
        "jaxlib": version("jaxlib"),
        "equinox": equinox.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "platform": jax.default_backend(),
        "devices": jax.device_count(),
        "x64": _flag("jax_enable_x64"),
        "matmul_precision": _flag("jax_default_matmul_precision"),
        "prng": _flag("jax_default_prng_impl"),
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
    }


def dump(content: dict[str, Any], **entries: Any) -> bytes:
    """Strictly valid JSON: a number that is not finite becomes the string that `float` reads back."""
    return json.dumps(_plain(content), allow_nan=False, **entries).encode()


def seal(content: dict[str, Any]) -> bytes:
    """A manifest as bytes, with its own checksum, so that a flipped bit in a number is seen as well."""
    content = _plain(content)
    sealed = dump({**content, "sha256": digest(_canonical(content))}, indent=1)
    if len(sealed) > LARGEST_MANIFEST:
        raise SettingsError(f"manifest: {len(sealed)} bytes, more than {LARGEST_MANIFEST}; note less")
    return sealed


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder. Raises `CorruptFile` where it is missing, damaged, or of a newer layout."""
    path = folder / MANIFEST
    content = parse(read_file(path, largest=LARGEST_MANIFEST), path)
    found = content.pop("sha256", None)
    if found != digest(_canonical(content)):
        raise CorruptFile(f"{path}: its checksum does not match its content")
    version = content.get("format")
    if version != FORMAT:
        raise CorruptFile(f"{path}: layout {version!r}, this version reads {FORMAT}")
    return content


def parse(content: bytes, path: Path) -> dict[str, Any]:
    """A JSON object from bytes that nobody vouches for. Raises `CorruptFile`."""
    try:
        value = json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise CorruptFile(f"{path}: not valid JSON ({error})") from error
    if not isinstance(value, dict):
        raise CorruptFile(f"{path}: expected a JSON object, got {type(value).__name__}")
    return value


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else {math.inf: "inf", -math.inf: "-inf"}.get(value, "nan")
    return str(value)


def _flag(name: str) -> Any:
    return getattr(jax.config, name)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
