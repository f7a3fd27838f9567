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
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtsp, GstRtspServer  # noqa: E402,F401
from pictures import ClockPicture, ClockPictures, FilePictures, Tone  # noqa: E402


class Pacer(threading.Thread):
    """
    Pushes the next picture or piece of sound of every running stream when it is due. The first picture goes at once,
    because the server describes a stream by it; the rest waits for the first viewer's PLAY, so that nothing between the
    two is lost. Sound does not wait: an encoder may want several pieces before it has anything to describe.
    """

    def __init__(self):
        super().__init__(daemon=True)
        self.changed = threading.Condition()
        self.due = []
        self.serial = 0

    def add(self, source, pieces, per_second, waits):
        stream = {"source": source, "pieces": pieces, "step": 1 / per_second, "number": 0, "live": True}
        stream["waits"] = waits
        self.push(stream)
        if not waits:
            self.put(time.monotonic() + stream["step"], stream)
        return stream

    def push(self, stream):
        stream["source"].push_buffer(stream["pieces"].buffer(stream["number"]))
        stream["number"] += 1

    def begin(self, stream):
        if stream["waits"]:
            stream["waits"] = False
            self.put(time.monotonic() + stream["step"], stream)

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
            self.push(stream)
            # A machine that fell behind goes on from now: a real sensor drops pictures too.
            self.put(max(at + stream["step"], time.monotonic() - stream["step"]), stream)


APPSRC = "appsrc is-live=true format=time do-timestamp=true max-bytes=0 max-buffers=8 leaky-type=downstream"


def video_launch(stream):
    codec, fps = stream["codec"], stream["fps"]
    source = f"{APPSRC} name=video"
    # A file has its parameter sets in it. The payloader would put them before every slice of a picture, not once.
    repeat = 0 if stream["headersInSdpOnly"] or stream["mode"] == "file" else -1
    pay = f"rtp{codec}pay name=pay0 pt=96 mtu=1400 config-interval={repeat}"
    if stream["mode"] == "file":
        parse = f"{codec}parse ! video/x-{codec},stream-format={packed(stream)},alignment=au"
        return f"{source} caps=video/x-{codec},stream-format=byte-stream,alignment=au,framerate={fps}/1 ! {parse} ! {pay}"
    raw = f"video/x-raw,format=I420,width={stream['width']},height={stream['height']},framerate={fps}/1,colorimetry=bt709"
    # A real camera has a fixed GOP and no B-frames.
    key = max(1, round(fps * stream["gopSeconds"]))
    bare = ":repeat-headers=0" if stream["headersInSdpOnly"] else ""
    common = f"bitrate={stream['bitrateKbps']} key-int-max={key} speed-preset=ultrafast tune=zerolatency"
    if codec == "h264":
        encode = (
            f"x264enc {common} threads=1 bframes=0 option-string=scenecut=0:keyint-min={key}{bare}"
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
        # The binding frees a factory that Python forgets, and its signal with it.
        self.factories = []
        for stream in spec["streams"]:
            self.mount(stream)

    def mount(self, stream):
        factory = self.factory(stream)
        self.factories.append(factory)
        self.server.get_mount_points().add_factory(f"/{self.spec['camera']}/{stream['name']}", factory)

    def remount(self, stream):
        """The same address with another encoder behind it: who watches is thrown out, as real cameras do."""
        self.server.get_mount_points().remove_factory(f"/{self.spec['camera']}/{stream['name']}")
        self.drop()
        self.mount(stream)

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
        factory.set_launch("( " + video_launch(stream) + " " + audio_launch(stream.get("audio")) + " )")
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
            pictures = FilePictures(stream["file"], stream["codec"], stream["headersInSdpOnly"])
        else:
            pictures = ClockPictures(ClockPicture(stream["width"], stream["height"], self.spec["hue"]))
        source = element.get_by_name_recurse_up("video")
        paced = self.play(media, source, pictures, stream["fps"], waits=True)
        media.connect("new-state", lambda _media, state: state == Gst.State.PLAYING and self.pacer.begin(paced))
        if stream.get("audio"):
            source = element.get_by_name_recurse_up("audio")
            self.play(media, source, Tone(AUDIO_RATE[stream["audio"]]), Tone.PIECES_PER_SECOND, waits=False)

    def play(self, media, source, pieces, per_second, waits):
        paced = self.pacer.add(source, pieces, per_second, waits)
        media.connect("unprepared", lambda _media: paced.update(live=False))
        return paced

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

    def remount(self, spec):
        self.cameras[spec["camera"]].remount(spec["stream"])
        return {}

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
