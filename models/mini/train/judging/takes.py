# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""What the plugin puts out, through gst-plugin/tools/takes.c."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from .senses import SAMPLES_PER_FRAME


@dataclass
class Request:
    """changes: (frame, prompt), set when so many frames have come out."""

    seed: int
    frames: int
    prompt: str
    changes: list[tuple[int, str]] = field(default_factory=list)

    def line(self) -> str:
        fields = [self.seed, self.frames, self.prompt]
        for frame, prompt in self.changes:
            fields += [frame, prompt]
        return "\t".join(map(str, fields)) + "\n"


class Take:
    """One take while it comes out: pictures and sound, in parts that hold the
    same span of time."""

    def __init__(self, output: IO[bytes], request: Request):
        self.output = output
        self.request = request
        self.applied: list[float] = []

    def _record(self) -> tuple[str, bytes]:
        head = self.output.readline().split()
        if len(head) != 2:
            raise RuntimeError("vidgen-takes ended early")
        return head[0].decode(), self.output.read(int(head[1]))

    def parts(self, frames: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(uint8 [frames, H, W, 3], float32 [frames · 1500, 2]) in turn; the
        last part may be shorter."""
        pictures: list[np.ndarray] = []
        sound: list[np.ndarray] = []
        heard = 0
        shape: tuple[int, ...] = ()
        whole = False
        while not whole or pictures:
            while not whole and (
                len(pictures) < frames or heard < frames * SAMPLES_PER_FRAME
            ):
                kind, data = self._record()
                if kind == "picture":
                    width, height = map(int, data.split()[:2])
                    shape = (height, width, 3)
                elif kind == "video":
                    pictures.append(np.frombuffer(data, np.uint8).reshape(shape))
                elif kind == "audio":
                    sound.append(np.frombuffer(data, "<f4").reshape(-1, 2))
                    heard += len(sound[-1])
                elif kind == "applied":
                    self.applied.append(int(data) / 1e9)
                whole = kind == "end"
            if not pictures:
                return
            count = min(frames, len(pictures))
            samples = np.concatenate(sound)
            end = count * SAMPLES_PER_FRAME
            yield np.stack(pictures[:count]), samples[:end]
            pictures, sound = pictures[count:], [samples[end:]]
            heard = len(sound[0])

    def all(self) -> tuple[np.ndarray, np.ndarray]:
        parts = list(self.parts(self.request.frames))
        frames, samples = parts[0]
        if len(frames) != self.request.frames:
            raise RuntimeError(f"{len(frames)} of {self.request.frames} frames came")
        return frames, samples


class Plugin:
    """The plugin of a build folder with a weights file, or those embedded."""

    def __init__(self, build: Path, weights: Path | None):
        self.line = [str(build / "gst-plugin" / "tools" / "vidgen-takes")]
        if weights:
            self.line.append(f'model="{weights.resolve()}"')
        self.environment = dict(
            os.environ, GST_PLUGIN_PATH_1_0=str(build / "gst-plugin")
        )

    def play(self, requests: list[Request]) -> Iterator[Take]:
        """Takes in their order; each must be read before the next."""
        with subprocess.Popen(
            self.line,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.environment,
        ) as process:
            for request in requests:
                process.stdin.write(request.line().encode())
                process.stdin.flush()
                yield Take(process.stdout, request)
            process.stdin.close()
        if process.returncode:
            raise RuntimeError(f"{self.line[0]} failed")
