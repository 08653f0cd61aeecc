"""The manifest of a detector, as far as quantising needs it, and the one of what comes out."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path


class ManifestError(Exception):
    """The model is not one that this can quantise."""


@dataclass
class Manifest:
    """A manifest that was read."""

    path: Path
    text: str
    keys: dict

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        text = path.read_text()
        keys = tomllib.loads(text)
        kind = (keys["decoder"]["kind"], keys["input"]["layout"], keys["input"]["element"])
        if kind != ("centernet", "nhwc", "u8"):
            raise ManifestError(f"{path}: only a centernet that takes nhwc bytes can be quantised, not {' '.join(kind)}")
        return cls(path, text, keys)

    @property
    def model(self) -> Path:
        return self.path.parent / self.keys["file"]

    def quantised(self, file: str, sha256: str) -> str:
        """The text of the manifest of a quantised `file` beside it."""
        text = self.text
        source = f"{self.keys['source']}, quantised on this machine by models/quantise"
        for key, value in {
            "name": f"{self.keys['name']}-int8",
            "file": file,
            "sha256": sha256,
            "source": source,
        }.items():
            text, found = re.subn(rf'(?m)^{key} = ".*"$', lambda _: f'{key} = "{value}"', text, count=1)
            if not found:
                raise ManifestError(f"{self.path}: there is no line `{key} = \"...\"`")
        return text
