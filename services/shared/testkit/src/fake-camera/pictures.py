"""
What the fake cameras show and say: the picture with the clock, the pictures of a file, a tone. Each hands out one buffer of
GStreamer at a time, by number. What must stay true: a number may be any, so that streams loop for ever.
"""

import math
import struct
import time

from gi.repository import Gst

# The picture clock: 64 cells over the width, in the topmost 18th of the picture. picture-clock.ts reads it.
CELLS = 64
BANDS = 18
BLACK, WHITE = 16, 235

# Five by seven dots, for people.
GLYPHS = {
    "0": "01110 10001 10011 10101 11001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110",
    "2": "01110 10001 00001 00010 00100 01000 11111",
    "3": "11111 00010 00100 00010 00001 10001 01110",
    "4": "00010 00110 01010 10010 11111 00010 00010",
    "5": "11111 10000 11110 00001 00001 10001 01110",
    "6": "00110 01000 10000 11110 10001 10001 01110",
    "7": "11111 00001 00010 00100 01000 01000 01000",
    "8": "01110 10001 10001 01110 10001 10001 01110",
    "9": "01110 10001 10001 01111 00001 00010 01100",
    ":": "00000 00100 00100 00000 00100 00100 00000",
    ".": "00000 00000 00000 00000 00000 00110 00110",
}


def clock_cells(unix_ms):
    """Lead 1010, 48 bits of Unix milliseconds from the highest, 8 bits XOR of its six bytes, tail 0101."""
    data = unix_ms.to_bytes(6, "big")
    check = 0
    for byte in data:
        check ^= byte
    return "1010" + "".join(f"{byte:08b}" for byte in data) + f"{check:08b}" + "0101"


class ClockPicture:
    """Draws I420 pictures: the bits, the time in digits, and a block that moves so that pictures differ."""

    def __init__(self, width, height, hue):
        self.width, self.height = width, height
        self.band = height // BANDS
        self.dot = max(1, height // 90)
        # The text stands in the middle of the picture.
        self.text_top = (height // 2 - 4 * self.dot) & ~1
        shade = [bytes([40 + (60 * y // height)]) * width for y in range(height)]
        self.luma = b"".join(shade)
        grey = bytes([128])
        # The bits are read from any colour channel: no colour behind them.
        plain = (self.band // 2 + 1) * (width // 2)
        size = (width // 2) * (height // 2)
        self.chroma = b"".join(
            grey * plain + bytes([level]) * (size - plain)
            for level in (96 + hue % 64, 96 + (hue // 64) % 64)
        )
        self.cell = {
            "1": bytes([WHITE]) * (width // CELLS),
            "0": bytes([BLACK]) * (width // CELLS),
        }
        self.rest = bytes([BLACK]) * (width - CELLS * (width // CELLS))
        self.dots = {
            sign: [
                b"".join(bytes([WHITE if bit == "1" else BLACK]) * self.dot for bit in row + "0")
                for row in rows.split()
            ]
            for sign, rows in GLYPHS.items()
        }

    def draw(self, number):
        now = time.time_ns() // 1_000_000
        bits = b"".join(self.cell[bit] for bit in clock_cells(now)) + self.rest
        seconds = now // 1000
        text = f"{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{now % 1000:03d}"
        rows = [b"".join(self.dots[sign][row] for sign in text)[: self.width] for row in range(7)]
        side = (self.width - len(rows[0])) // 2
        margin = bytes([BLACK]) * side
        lines = [
            margin + row + bytes([BLACK]) * (self.width - side - len(row)) for row in rows for _ in range(self.dot)
        ]
        text_end = self.text_top + len(lines)
        bar_top = self.height - 2 * self.band
        block = self.width // 16
        at = (number * 4) % (self.width - block)
        bar = bytes([60]) * at + bytes([200]) * block + bytes([60]) * (self.width - block - at)
        width = self.width
        return b"".join(
            (
                bits * self.band,
                self.luma[self.band * width : self.text_top * width],
                b"".join(lines),
                self.luma[text_end * width : bar_top * width],
                bar * (self.height - bar_top),
                self.chroma,
            )
        )


PARAMETER_SETS = {"h264": (7, 8), "h265": (32, 33, 34)}


def unit_kind(data, start, codec):
    """nal_unit_type (ITU-T H.264 §7.4.1, H.265 §7.4.2.2) of the unit whose start code is there."""
    return data[start + 3] & 31 if codec == "h264" else (data[start + 3] >> 1) & 63


def unit_starts(data):
    at = data.find(b"\0\0\1")
    while at >= 0:
        yield at
        at = data.find(b"\0\0\1", at + 3)


def access_units(data, codec):
    """The pictures of an elementary stream without B-frames (ITU-T H.264 and H.265, Annex B)."""
    # first_mb_in_slice = 0, or first_slice_segment_in_pic_flag: both are the first bit after the header.
    header = 4 if codec == "h264" else 5
    opening = (6, 7, 8, 9) if codec == "h264" else (32, 33, 34, 35, 39)
    units, first, seen = [], 0, False
    for start in unit_starts(data):
        kind = unit_kind(data, start, codec)
        picture = 1 <= kind <= 5 if codec == "h264" else kind < 32
        new_slice = picture and data[start + header] & 0x80
        if seen and (kind in opening or new_slice):
            # The zero byte of a four-byte start code belongs to what follows.
            end = start - 1 if data[start - 1] == 0 else start
            units.append(data[first:end])
            first, seen = end, False
        seen = seen or picture
    units.append(data[first:])
    return units


def without_parameter_sets(unit, codec):
    starts = [*unit_starts(unit), len(unit)]
    return b"".join(
        unit[start:end]
        for start, end in zip(starts, starts[1:])
        if unit_kind(unit, start, codec) not in PARAMETER_SETS[codec]
    )


class FilePictures:
    """Shared by all cameras that play the same file: read once."""

    cache = {}

    def __init__(self, path, codec, bare):
        key = (path, codec)
        if key not in self.cache:
            with open(path, "rb") as file:
                self.cache[key] = access_units(file.read(), codec)
        self.units, self.codec, self.bare = self.cache[key], codec, bare

    def buffer(self, number):
        unit = self.units[number % len(self.units)]
        # The first picture has them, or there would be nothing to write into the SDP.
        return Gst.Buffer.new_wrapped(without_parameter_sets(unit, self.codec) if self.bare and number > 0 else unit)


class ClockPictures:
    def __init__(self, picture):
        self.picture = picture

    def buffer(self, number):
        return Gst.Buffer.new_wrapped(self.picture.draw(number))


class Tone:
    """A 440 Hz tone in pieces of 40 ms. An audiotestsrc would not do: it says it can seek, and then a live one cannot."""

    PIECES_PER_SECOND = 25

    def __init__(self, rate):
        # Five pieces are 88 whole waves, so that the tone has no clicks.
        samples = [round(6000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(rate // 5)]
        length = rate // self.PIECES_PER_SECOND
        self.pieces = [struct.pack(f"<{length}h", *samples[at : at + length]) for at in range(0, rate // 5, length)]

    def buffer(self, number):
        return Gst.Buffer.new_wrapped(self.pieces[number % len(self.pieces)])
