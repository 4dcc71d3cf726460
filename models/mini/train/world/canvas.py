# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Drawing shared by the families, many frames at a time, with torch.

Pictures are planar float32 tensors on DEVICE of linear-looking 0…1 values:
[HEIGHT, WIDTH] or [3, HEIGHT, WIDTH] what stays as it is, [F, 1, HEIGHT, WIDTH]
and [F, 3, HEIGHT, WIDTH] what differs from frame to frame; a number for each
frame is [F, 1, 1, 1], see each(). X grows to the right, -ASPECT…ASPECT; Y grows
upwards, -1…1. Time is in seconds from the start of the clip; frame i shows
i / FRAME_RATE. What is measured in points, ROWS by COLUMNS of them a picture,
has the same size in pictures of every SCALE; a point is SCALE pixels wide.

Numbers of a frame and places of dots are numpy's, in double precision; nothing
comes back from DEVICE before film() stores finished frames.
"""

import math
import os
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

# Known before anything is drawn: render.py sets them for its workers.
SCALE = int(os.environ.get("VIDGEN_WORLD_SCALE", "1"))
DEVICE = os.environ.get("VIDGEN_WORLD_DEVICE", "cpu")
COLUMNS = 192
ROWS = 112
WIDTH = COLUMNS * SCALE
HEIGHT = ROWS * SCALE
FRAME_RATE = 16
FRAMES = 64
ASPECT = WIDTH / HEIGHT
PIXEL = 2.0 / HEIGHT
# Frames that are drawn at once: as many as stay within the cache of a CPU, or as
# keep a GPU busy.
BLOCK = FRAMES if DEVICE == "cuda" else max(1, 8 // SCALE ** 2)

X_LINE = np.linspace(-ASPECT, ASPECT, WIDTH, dtype=np.float32)
Y_LINE = np.linspace(1, -1, HEIGHT, dtype=np.float32)


def put(values: np.ndarray, dtype: torch.dtype = torch.float32) -> Tensor:
    """Numbers of numpy's on DEVICE."""
    return torch.from_numpy(values).to(DEVICE, dtype)


def zeros(*shape: int) -> Tensor:
    return torch.zeros(shape, device=DEVICE)


def each(values: np.ndarray) -> Tensor:
    """A number for each frame, [F], as [F, 1, 1, 1]."""
    return put(values).view(-1, 1, 1, 1)


ACROSS = put(X_LINE)
UP = put(Y_LINE)[:, None]
X = ACROSS.expand(HEIGHT, WIDTH).contiguous()
Y = UP.expand(HEIGHT, WIDTH).contiguous()

SIDES = {"left": -0.95, "centre": 0.0, "right": 0.95}


def colour(red: float, green: float, blue: float) -> Tensor:
    """A colour as [3, 1, 1], ready to broadcast over a picture."""
    return put(np.array([red, green, blue], np.float32)).view(3, 1, 1)


WHITE = colour(1, 1, 1)


def mix(start, end, amount):
    """Linear interpolation: start at amount 0, end at amount 1."""
    if isinstance(start, Tensor) and isinstance(end, Tensor):
        return torch.lerp(start, end, amount)
    return start + (end - start) * amount


def smoothstep(low: float, high: float, value):
    """Cubic ramp from 0 at low to 1 at high; low may exceed high."""
    ramp = (value - low) / (high - low)
    if isinstance(ramp, Tensor):
        ramp.clamp_(0, 1)
        return (3 - 2 * ramp).mul_(ramp).mul_(ramp)
    ramp = np.clip(ramp, 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def outline(low: float, high: float, value: Tensor) -> Tensor:
    """The ramp of an edge, which is drawn as thin as the pixels are small."""
    middle, half = (low + high) / 2, (high - low) / 2 / SCALE
    return smoothstep(middle - half, middle + half, value)


def bell(value: Tensor, width: float | Tensor) -> Tensor:
    """exp(-(value / width)²)"""
    return (value / width).square_().neg_().exp_()


def least(*values: Tensor) -> Tensor:
    """The least of all values at each place."""
    total = values[0]
    for value in values[1:]:
        total = torch.minimum(total, value)
    return total


def most(*values: Tensor) -> Tensor:
    """The greatest of all values at each place."""
    total = values[0]
    for value in values[1:]:
        total = torch.maximum(total, value)
    return total


def gradient(bottom: Tensor, top: Tensor, low: float, high: float) -> Tensor:
    """Vertical gradient [3, HEIGHT, WIDTH] from bottom (Y = low) to top."""
    return mix(bottom, top, smoothstep(low, high, Y))


def box(left: float, right: float, bottom: float,
        top: float) -> tuple[slice, slice]:
    """Rows and columns of the part of the picture within these limits."""
    rows = np.searchsorted(-Y_LINE, [-top, -bottom])
    columns = np.searchsorted(X_LINE, [left, right])
    return slice(*map(int, rows)), slice(*map(int, columns))


def distance_to_line(x: Tensor, y: Tensor, start: tuple, end: tuple) -> Tensor:
    """Distance of the points x, y from the straight line start…end, whose ends
    may differ from frame to frame."""
    way_x, way_y = end[0] - start[0], end[1] - start[1]
    x, y = x - start[0], y - start[1]
    along = (x * way_x + y * way_y) / (way_x * way_x + way_y * way_y)
    along.clamp_(0, 1)
    return torch.hypot(x - along * way_x, y - along * way_y)


def blur_matrix(size: int, sigma: float) -> np.ndarray:
    """Gaussian blur of a line of `size` pixels as a matrix [size, size]."""
    place = np.arange(size)
    kernel = np.exp(-0.5 * ((place[:, None] - place[None]) / sigma) ** 2)
    return (kernel / kernel.sum(1).max()).astype(np.float32)


class Blur:
    """Gaussian blur of whole pictures [..., HEIGHT, WIDTH], sigma in points."""

    def __init__(self, sigma: float):
        self.rows = put(blur_matrix(HEIGHT, sigma * SCALE))
        self.columns = put(blur_matrix(WIDTH, sigma * SCALE).T.copy())

    def __call__(self, picture: Tensor) -> Tensor:
        return self.rows @ (picture @ self.columns)


def texture(rng: np.random.Generator, shape: tuple[int, int],
            scales: list[tuple[float, float, float]]) -> Tensor:
    """Periodic noise of unit deviation, SCALE times as many values as points.

    `shape` is in points; `scales` lists (sigma of rows, sigma of columns,
    amplitude), in points.
    """
    shape = (shape[0] * SCALE, shape[1] * SCALE)
    total = zeros(*shape)
    for sigma_rows, sigma_columns, amplitude in scales:
        noise = put(rng.standard_normal(shape), torch.float64)
        smooth = periodic_blur(noise, sigma_rows, sigma_columns)
        total += amplitude * (smooth / smooth.std(correction=0)).float()
    return total / total.std(correction=0)


def frequencies(shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Of a real transform's rows [rows, 1] and columns [1, half], per point."""
    rows, columns = np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1])
    return (put(rows * SCALE, torch.float64)[:, None],
            put(columns * SCALE, torch.float64))


def filtered(image: Tensor, along: Tensor, across: Tensor) -> Tensor:
    """A periodic image of doubles blurred in two directions, given as sigma
    times frequency."""
    decay = torch.exp(-2 * math.pi ** 2 * (along ** 2 + across ** 2))
    return torch.fft.irfft2(torch.fft.rfft2(image) * decay, image.shape)


def periodic_blur(image: Tensor, sigma_rows: float, sigma_columns: float) -> Tensor:
    rows, columns = frequencies(image.shape)
    return filtered(image, rows * sigma_rows, columns * sigma_columns)


class Periodic:
    """A periodic image, of which frames show parts of at most HEIGHT rows and
    WIDTH columns."""

    def __init__(self, image: Tensor):
        self.size = image.shape
        shown = min(image.shape[0], HEIGHT), min(image.shape[1], WIDTH + 1)
        rows, columns = (put(np.arange(size + more) % size, torch.int64)
                         for size, more in zip(image.shape, shown))
        self.windows = image[rows][:, columns].unfold(0, shown[0], 1)
        self.windows = self.windows.unfold(1, shown[1], 1)

    def _at(self, row: np.ndarray, column: np.ndarray) -> Tensor:
        place = (put(row % self.size[0], torch.int64),
                 put(column % self.size[1], torch.int64))
        return self.windows[place][:, None]

    def slide(self, offsets: np.ndarray) -> Tensor:
        """WIDTH columns from an offset in points on that each frame has."""
        offsets = offsets * SCALE
        whole = np.floor(offsets)
        taken = self._at(np.zeros(len(whole), int), whole.astype(int))
        return torch.lerp(taken[..., :-1], taken[..., 1:], each(offsets - whole))

    def scroll(self, down: np.ndarray, across: np.ndarray | None = None) -> Tensor:
        """The image after it has moved by so many points in each frame."""
        across = np.zeros(len(down)) if across is None else across
        row, column = (-np.rint(p * SCALE).astype(int) for p in (down, across))
        return self._at(row, column)[..., :WIDTH]


def pick(pictures: Tensor, rows: np.ndarray, which: np.ndarray | None = None) -> Tensor:
    """Rows [F, n] of a picture for each frame, or of the one that is named."""
    which = np.arange(len(rows)) if which is None else which
    place = put(which, torch.int64)[:, None], put(rows, torch.int64)
    return pictures.transpose(1, 2)[place].transpose(1, 2)


def fill(picture: Tensor, rows: tuple[int, int], columns: tuple[int, int],
         paint) -> None:
    """Paints the rectangle from one point to before another; what lies left of
    the picture is left out."""
    left, right = (max(column, 0) * SCALE for column in columns)
    picture[..., rows[0] * SCALE:rows[1] * SCALE, left:right] = paint


def lookup(image: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Nearest texel of a periodic texture at float coordinates in points."""
    rows, columns = image.shape
    row = (row * SCALE).floor_().remainder_(rows).long()
    column = (column * SCALE).floor_().remainder_(columns).long()
    return image.view(-1)[row * columns + column]


def splat(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Tensor:
    """Dots [F, n] of the given weights, shared among four pixels each; as
    bright once they are blurred at every SCALE: [F, 1, HEIGHT, WIDTH]."""
    x, y, weight = np.broadcast_arrays(x, y, weight * SCALE ** 2)
    count = len(x)
    shown = weight.ravel() != 0
    frame = np.repeat(np.arange(count), x.shape[1])[shown]
    x, y, weight = (values.ravel()[shown] for values in (x, y, weight))
    column = (x + ASPECT) / (2 * ASPECT) * (WIDTH - 1)
    row = (1 - y) / 2 * (HEIGHT - 1)
    left, top = np.floor(column), np.floor(row)
    places, parts = [], []
    for down in (0, 1):
        for right in (0, 1):
            part = (1 - np.abs(column - left - right)) * (1 - np.abs(row - top - down))
            i, j = (top + down).astype(int), (left + right).astype(int)
            inside = (i >= 0) & (i < HEIGHT) & (j >= 0) & (j < WIDTH)
            places.append(((frame * HEIGHT + i) * WIDTH + j)[inside])
            parts.append((weight * part)[inside])
    total = zeros(count * HEIGHT * WIDTH)
    places = put(np.concatenate(places), torch.int64)
    total.index_put_((places,), put(np.concatenate(parts)), accumulate=True)
    return total.view(count, 1, HEIGHT, WIDTH)


def spell(shown: np.ndarray) -> slice:
    """The frames, one after another, of which something is true."""
    places = np.flatnonzero(shown)
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)


def store(picture: Tensor) -> Tensor:
    """Planar 0…1 pictures [F, 3, HEIGHT, WIDTH] as uint8 [F, HEIGHT, WIDTH, 3]."""
    levels = picture.clamp(0, 1).mul_(255).add_(.5).to(torch.uint8)
    return torch.stack(levels.unbind(1), dim=-1)


def film(frames: int, draw: Callable[[np.ndarray], Tensor]) -> np.ndarray:
    """Frames uint8 [frames, HEIGHT, WIDTH, 3], where draw makes the pictures
    [F, 3, HEIGHT, WIDTH] of the frames whose numbers [F] it is given."""
    video = np.empty((frames, HEIGHT, WIDTH, 3), np.uint8)
    for first in range(0, frames, BLOCK):
        part = video[first:first + BLOCK]
        levels = store(draw(np.arange(first, first + len(part))))
        torch.from_numpy(part).copy_(levels)
    return video
