"""
The RTSP half of the fake cameras: GStreamer's RTSP server, one process for all cameras of a test, one listening socket
with its own digest credentials (RFC 2617) for each of them, mounts /<camera>/<stream>.

Run by Debian's own python3 with python3-gi. Commands come as JSON lines on stdin, each answered by one JSON line on
stdout; the end of stdin ends the process, so it cannot outlive the test. What must stay true: pictures are stamped by
the pipeline's running time, so timestamps only grow, over the loops of a file too; nothing is encoded or read while
nobody watches.
"""

import heapq
import json
import math
import struct
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtsp, GstRtspServer  # noqa: E402,F401

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


def access_units(path, codec):
    """The pictures of an Annex B elementary stream without B-frames (ITU-T H.264 and H.265, Annex B)."""
    with open(path, "rb") as file:
        data = file.read()
    starts = []
    at = data.find(b"\0\0\1")
    while at >= 0:
        starts.append(at)
        at = data.find(b"\0\0\1", at + 3)
    units, first, seen = [], 0, False
    for start in starts:
        head, after = data[start + 3], data[start + 4 : start + 6]
        if codec == "h264":
            kind = head & 31
            picture, opens = 1 <= kind <= 5, kind in (6, 7, 8, 9)
            new_slice = picture and after[0] & 0x80  # first_mb_in_slice = 0
        else:
            kind = (head >> 1) & 63
            picture, opens = kind < 32, kind in (32, 33, 34, 35, 39)
            new_slice = picture and after[1] & 0x80  # first_slice_segment_in_pic_flag
        if seen and (opens or new_slice):
            # The zero byte of a four-byte start code belongs to what follows.
            end = start - 1 if data[start - 1] == 0 else start
            units.append(data[first:end])
            first, seen = end, False
        seen = seen or picture
    units.append(data[first:])
    return units


class FilePictures:
    """Shared by all cameras that play the same file: read once."""

    cache = {}

    def __init__(self, path, codec):
        key = (path, codec)
        if key not in self.cache:
            self.cache[key] = [Gst.Buffer.new_wrapped(unit) for unit in access_units(path, codec)]
        self.buffers = self.cache[key]

    def buffer(self, number):
        # The copy shares the memory and takes its own timestamp.
        return self.buffers[number % len(self.buffers)].copy()


class ClockPictures:
    def __init__(self, picture):
        self.picture = picture

    def buffer(self, number):
        return Gst.Buffer.new_wrapped(self.picture.draw(number))


class Pacer(threading.Thread):
    """Pushes the next picture or piece of sound of every running stream when it is due."""

    def __init__(self):
        super().__init__(daemon=True)
        self.changed = threading.Condition()
        self.due = []
        self.serial = 0

    def add(self, source, pieces, per_second):
        stream = {"source": source, "pieces": pieces, "step": 1 / per_second, "number": 0, "live": True}
        self.put(time.monotonic(), stream)
        return stream

    def put(self, at, stream):
        with self.changed:
            self.serial += 1
            heapq.heappush(self.due, (at, self.serial, stream))
            self.changed.notify()

    def next(self):
        with self.changed:
            while not self.due or self.due[0][0] > time.monotonic():
                self.changed.wait(self.due[0][0] - time.monotonic() if self.due else None)
            return heapq.heappop(self.due)

    def run(self):
        while True:
            at, _, stream = self.next()
            if not stream["live"]:
                continue
            stream["source"].push_buffer(stream["pieces"].buffer(stream["number"]))
            stream["number"] += 1
            # A machine that fell behind goes on from now: a real sensor drops pictures too.
            self.put(max(at + stream["step"], time.monotonic() - stream["step"]), stream)


APPSRC = "appsrc is-live=true format=time do-timestamp=true max-bytes=0 max-buffers=8 leaky-type=downstream"


def video_launch(stream):
    codec, fps = stream["codec"], stream["fps"]
    source = f"{APPSRC} name=video"
    pay = f"rtp{codec}pay name=pay0 pt=96 mtu=1400 config-interval={0 if stream['headersInSdpOnly'] else -1}"
    if stream["mode"] == "file":
        parse = f"{codec}parse ! video/x-{codec},stream-format={packed(stream)},alignment=au"
        return f"{source} caps=video/x-{codec},stream-format=byte-stream,alignment=au,framerate={fps}/1 ! {parse} ! {pay}"
    raw = f"video/x-raw,format=I420,width={stream['width']},height={stream['height']},framerate={fps}/1,colorimetry=bt709"
    # A real camera has a fixed GOP and no B-frames.
    key = max(1, round(fps * stream["gopSeconds"]))
    common = f"bitrate={stream['bitrateKbps']} key-int-max={key} speed-preset=ultrafast tune=zerolatency"
    if codec == "h264":
        encode = (
            f"x264enc {common} threads=1 bframes=0 option-string=scenecut=0:keyint-min={key}"
            f" ! video/x-h264,profile={stream['profile']},stream-format={packed(stream)}"
        )
    else:
        encode = (
            f'x265enc {common} option-string="scenecut=0:min-keyint={key}:bframes=0:pools=1:frame-threads=1:log-level=none"'
            f" ! h265parse ! video/x-h265,stream-format={packed(stream)},alignment=au"
        )
    return f"{source} caps={raw} ! {encode} ! {pay}"


def packed(stream):
    """With avc and hvc1 the parameter sets travel beside the stream, and only the SDP names them."""
    if not stream["headersInSdpOnly"]:
        return "byte-stream"
    return "avc" if stream["codec"] == "h264" else "hvc1"


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


AUDIO_RATE = {"pcmu": 8000, "aac": 16000}
AUDIO_ENCODE = {
    "pcmu": "mulawenc ! rtppcmupay name=pay1 pt=0",
    "aac": "voaacenc bitrate=32000 ! aacparse ! rtpmp4gpay name=pay1 pt=97",
}


def audio_launch(audio):
    if not audio:
        return ""
    caps = f"audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate={AUDIO_RATE[audio]}"
    return f"{APPSRC} name=audio caps={caps} ! {AUDIO_ENCODE[audio]}"


class Camera:
    """One camera: one socket, one pair of credentials, several mounts."""

    def __init__(self, pacer, spec):
        self.pacer, self.spec = pacer, spec
        self.clients, self.source_id = set(), 0
        self.server = GstRtspServer.RTSPServer()
        self.server.set_address(spec["host"])
        self.server.set_service(str(spec["port"]))
        self.server.connect("client-connected", self.connected)
        if spec["username"]:
            self.server.set_auth(self.auth())
        mounts = self.server.get_mount_points()
        self.factories = []
        for stream in spec["streams"]:
            factory = self.factory(stream)
            # The binding frees a factory that Python forgets, and its signal with it.
            self.factories.append(factory)
            mounts.add_factory(f"/{spec['camera']}/{stream['name']}", factory)

    def auth(self):
        auth = GstRtspServer.RTSPAuth()
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.set_realm(self.spec["realm"])
        token = GstRtspServer.RTSPToken()
        token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
        auth.add_digest(self.spec["username"], self.spec["password"], token)
        return auth

    def factory(self, stream):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch("( " + video_launch(stream) + " " + audio_launch(stream["audio"]) + " )")
        factory.set_shared(True)
        factory.set_protocols(GstRtsp.RTSPLowerTrans.TCP | GstRtsp.RTSPLowerTrans.UDP)
        permissions = GstRtspServer.RTSPPermissions()
        for permission in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role("viewer", permission, True)
        if self.spec["username"]:
            factory.set_permissions(permissions)
        factory.connect("media-configure", self.configure, stream)
        return factory

    def configure(self, _factory, media, stream):
        element = media.get_element()
        if stream["mode"] == "file":
            pictures = FilePictures(stream["file"], stream["codec"])
        else:
            pictures = ClockPictures(ClockPicture(stream["width"], stream["height"], self.spec["hue"]))
        self.play(media, element.get_by_name_recurse_up("video"), pictures, stream["fps"])
        if stream["audio"]:
            source = element.get_by_name_recurse_up("audio")
            self.play(media, source, Tone(AUDIO_RATE[stream["audio"]]), Tone.PIECES_PER_SECOND)

    def play(self, media, source, pieces, per_second):
        paced = self.pacer.add(source, pieces, per_second)
        media.connect("unprepared", lambda _media: paced.update(live=False))

    def connected(self, _server, client):
        self.clients.add(client)
        client.connect("closed", self.clients.discard)

    def listen(self):
        # Port 0 leaves the choice to the kernel.
        self.source_id = self.server.attach(None)
        if not self.source_id:
            raise OSError(f"cannot listen on {self.spec['host']}:{self.spec['port']}")

    def silence(self):
        GLib.source_remove(self.source_id)
        self.drop()

    def drop(self):
        dropped = list(self.clients)
        for client in dropped:
            client.close()
        return len(dropped)


class Control:
    def __init__(self):
        Gst.init(None)
        self.cameras = {}
        self.pacer = Pacer()
        self.pacer.start()

    def add(self, spec):
        camera = Camera(self.pacer, spec)
        camera.listen()
        self.cameras[spec["camera"]] = camera
        return {"port": camera.server.get_bound_port()}

    def remove(self, spec):
        camera = self.cameras.pop(spec["camera"])
        camera.silence()
        return {}

    def drop(self, spec):
        return {"dropped": self.cameras[spec["camera"]].drop()}

    def clients(self, spec):
        return {"clients": len(self.cameras[spec["camera"]].clients)}

    def answer(self, line):
        command = json.loads(line)
        try:
            result = getattr(self, command["do"])(command)
        except Exception as error:  # Whatever went wrong belongs to the test that asked.
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"id": command["id"], **result}), flush=True)
        return GLib.SOURCE_REMOVE


def main():
    control, loop = Control(), GLib.MainLoop()

    def read():
        for line in sys.stdin:
            GLib.idle_add(control.answer, line)
        GLib.idle_add(loop.quit)

    threading.Thread(target=read, daemon=True).start()
    print(json.dumps({"id": 0, "ready": True}), flush=True)
    loop.run()


main()
