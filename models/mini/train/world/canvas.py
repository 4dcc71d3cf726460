# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Drawing shared by the families.

A picture is a planar float32 array [3, HEIGHT, WIDTH] of linear-looking
0…1 values. X grows to the right, -ASPECT…ASPECT; Y grows upwards, -1…1.
Time is in seconds from the start of the clip; frame i shows i / FRAME_RATE.
What is measured in points, ROWS by COLUMNS of them a picture, has the same size
in pictures of every SCALE; a point is SCALE pixels wide.
"""

import os

import numpy as np

# Known before anything is drawn: render.py sets it for its workers.
SCALE = int(os.environ.get("VIDGEN_WORLD_SCALE", "1"))
COLUMNS = 192
ROWS = 112
WIDTH = COLUMNS * SCALE
HEIGHT = ROWS * SCALE
FRAME_RATE = 16
FRAMES = 64
ASPECT = WIDTH / HEIGHT
PIXEL = 2.0 / HEIGHT

X_LINE = np.linspace(-ASPECT, ASPECT, WIDTH, dtype=np.float32)
Y_LINE = np.linspace(1, -1, HEIGHT, dtype=np.float32)
X = np.broadcast_to(X_LINE, (HEIGHT, WIDTH)).copy()
Y = np.broadcast_to(Y_LINE[:, None], (HEIGHT, WIDTH)).copy()

SIDES = {"left": -0.95, "centre": 0.0, "right": 0.95}


def colour(red: float, green: float, blue: float) -> np.ndarray:
    """A colour as [3, 1, 1], ready to broadcast over a picture."""
    return np.array([red, green, blue], np.float32).reshape(3, 1, 1)


def mix(start, end, amount):
    """Linear interpolation: start at amount 0, end at amount 1."""
    return start + (end - start) * amount


def smoothstep(low: float, high: float, value):
    """Cubic ramp from 0 at low to 1 at high; low may exceed high."""
    ramp = np.clip((value - low) / (high - low), 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def outline(low: float, high: float, value):
    """The ramp of an edge, which is drawn as thin as the pixels are small."""
    middle, half = (low + high) / 2, (high - low) / 2 / SCALE
    return smoothstep(middle - half, middle + half, value)


def gradient(bottom: np.ndarray, top: np.ndarray, low: float,
             high: float) -> np.ndarray:
    """Vertical gradient [3, HEIGHT, WIDTH] from bottom (Y = low) to top."""
    return mix(bottom, top, smoothstep(low, high, Y))


def box(left: float, right: float, bottom: float,
        top: float) -> tuple[slice, slice]:
    """Rows and columns of the part of the picture within these limits."""
    rows = np.searchsorted(-Y_LINE, [-top, -bottom])
    columns = np.searchsorted(X_LINE, [left, right])
    return slice(*map(int, rows)), slice(*map(int, columns))


def distance_to_line(x: np.ndarray, y: np.ndarray, start: tuple[float, float],
                     end: tuple[float, float]) -> np.ndarray:
    """Distance of the points x, y from the straight line start…end."""
    way_x, way_y = end[0] - start[0], end[1] - start[1]
    along = (x - start[0]) * way_x + (y - start[1]) * way_y
    along = np.clip(along / (way_x * way_x + way_y * way_y), 0, 1)
    return np.hypot(x - start[0] - along * way_x, y - start[1] - along * way_y)


def blur_matrix(size: int, sigma: float) -> np.ndarray:
    """Gaussian blur of a line of `size` pixels as a matrix [size, size]."""
    place = np.arange(size)
    kernel = np.exp(-0.5 * ((place[:, None] - place[None]) / sigma) ** 2)
    return (kernel / kernel.sum(1).max()).astype(np.float32)


class Blur:
    """Gaussian blur of whole pictures [HEIGHT, WIDTH], sigma in points."""

    def __init__(self, sigma: float):
        self.rows = blur_matrix(HEIGHT, sigma * SCALE)
        self.columns = blur_matrix(WIDTH, sigma * SCALE).T.copy()

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        return self.rows @ picture @ self.columns


def texture(rng: np.random.Generator, shape: tuple[int, int],
            scales: list[tuple[float, float, float]]) -> np.ndarray:
    """Periodic noise of unit deviation, SCALE times as many values as points.

    `shape` is in points; `scales` lists (sigma of rows, sigma of columns,
    amplitude), in points.
    """
    shape = (shape[0] * SCALE, shape[1] * SCALE)
    rows = np.fft.fftfreq(shape[0])[:, None]
    columns = np.fft.rfftfreq(shape[1])[None]
    total = np.zeros(shape, np.float32)
    for sigma_rows, sigma_columns, amplitude in scales:
        noise = np.fft.rfft2(rng.standard_normal(shape))
        decay = (rows * (sigma_rows * SCALE)) ** 2
        decay = decay + (columns * (sigma_columns * SCALE)) ** 2
        smooth = np.fft.irfft2(noise * np.exp(-2 * np.pi ** 2 * decay), shape)
        total += amplitude * (smooth / smooth.std()).astype(np.float32)
    return total / total.std()


def slide(strip: np.ndarray, offset: float) -> np.ndarray:
    """WIDTH columns of a periodic strip, from an offset in points on."""
    offset = offset * SCALE
    whole = int(np.floor(offset))
    part = np.float32(offset - whole)
    columns = (whole + np.arange(WIDTH + 1)) % strip.shape[1]
    taken = strip[:, columns]
    return taken[:, :-1] * (1 - part) + taken[:, 1:] * part


def scroll(image: np.ndarray, down: float, across: float = 0) -> np.ndarray:
    """At most HEIGHT rows and WIDTH columns of a periodic image that has moved
    by so many points."""
    pixels = round(down * SCALE), round(across * SCALE)
    return np.roll(image, pixels, (0, 1))[:HEIGHT, :WIDTH]


def fill(picture: np.ndarray, rows: tuple[int, int], columns: tuple[int, int],
         paint) -> None:
    """Paints the rectangle from one point to before another; what lies left of
    the picture is left out."""
    left, right = (max(column, 0) * SCALE for column in columns)
    picture[..., rows[0] * SCALE:rows[1] * SCALE, left:right] = paint


def lookup(image: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Nearest texel of a periodic texture at float coordinates in points."""
    rows, columns = image.shape
    row = np.floor(row * SCALE).astype(np.int32) % rows
    column = np.floor(column * SCALE).astype(np.int32) % columns
    return image.ravel()[row * columns + column]


def splat(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Dots of the given weights, shared among four pixels each; as bright once
    they are blurred at every SCALE."""
    weight = weight * SCALE ** 2
    column = (x + ASPECT) / (2 * ASPECT) * (WIDTH - 1)
    row = (1 - y) / 2 * (HEIGHT - 1)
    left = np.floor(column)
    top = np.floor(row)
    total = np.zeros(HEIGHT * WIDTH)
    for down in (0, 1):
        for right in (0, 1):
            part = (1 - np.abs(column - left - right)) * (1 - np.abs(row - top - down))
            i = (top + down).astype(int)
            j = (left + right).astype(int)
            inside = (i >= 0) & (i < HEIGHT) & (j >= 0) & (j < WIDTH)
            total += np.bincount((i * WIDTH + j)[inside],
                                 (weight * part)[inside], HEIGHT * WIDTH)
    return total.reshape(HEIGHT, WIDTH).astype(np.float32)


def store(frame: np.ndarray, picture: np.ndarray) -> None:
    """Write a planar 0…1 picture into frame, uint8 [HEIGHT, WIDTH, 3]."""
    levels = np.clip(picture, 0, 1)
    levels *= 255
    levels += 0.5
    frame[...] = levels.astype(np.uint8).transpose(1, 2, 0)
