/** Players as a page has them, for tests and figures in Chromium: MSE fed from the live answer, and WebRTC. Run inside a page, as text. */

/**
 * Plays a live answer by MSE and nothing else: no time line arithmetic, the type is changed where a notice says so. What is
 * seen comes out of `globalThis.live`.
 */
export const msePlayer = `async ({ url, token }) => {
  const live = (globalThis.live = { frames: 0, errors: [], notices: [], wall: [], firstFrameMs: undefined, sizes: [] });
  const asked = performance.now();
  const response = await fetch(url, { headers: { authorization: 'Bearer ' + token } });
  if (!response.ok) throw new Error(await response.text());
  const video = document.createElement('video');
  live.video = video;
  video.muted = true;
  document.body.append(video);
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await new Promise((done) => source.addEventListener('sourceopen', done, { once: true }));
  const buffer = source.addSourceBuffer(response.headers.get('x-siphera-stream-mime'));
  video.addEventListener('error', () => live.errors.push(video.error.message));
  const onFrame = (now, { mediaTime }) => {
    live.firstFrameMs ??= performance.now() - asked;
    live.frames += 1;
    live.mediaTime = mediaTime;
    if (live.sizes.at(-1) !== video.videoWidth) live.sizes.push(video.videoWidth);
    live.onFrame?.(mediaTime);
    video.requestVideoFrameCallback(onFrame);
  };
  video.requestVideoFrameCallback(onFrame);
  void video.play().catch((error) => live.errors.push(String(error)));
  const append = async (bytes) => {
    buffer.appendBuffer(bytes);
    await new Promise((done) => buffer.addEventListener('updateend', done, { once: true }));
    const end = buffer.buffered.length ? buffer.buffered.end(buffer.buffered.length - 1) : 0;
    live.ranges = buffer.buffered.length;
    if (end - video.currentTime > 1.5) video.currentTime = end - 0.2;
  };
  let rest = new Uint8Array(0);
  const typeOf = (bytes, at) => String.fromCharCode(...bytes.subarray(at + 4, at + 8));
  const run = async () => {
    for await (const chunk of response.body) {
      const all = new Uint8Array(rest.length + chunk.length);
      all.set(rest);
      all.set(chunk, rest.length);
      let at = 0;
      while (all.length - at >= 8) {
        const size = new DataView(all.buffer, at).getUint32(0);
        if (all.length - at < size) break;
        const box = all.subarray(at, at + size);
        if (typeOf(box, 0) === 'uuid') {
          const notice = JSON.parse(new TextDecoder().decode(box.subarray(24)));
          live.notices.push(notice);
          if (notice.kind === 'init' && live.notices.length > 1) buffer.changeType(notice.mime);
        }
        if (typeOf(box, 0) === 'prft') {
          const view = new DataView(box.buffer, box.byteOffset);
          const wall = (view.getUint32(16) - 2208988800 + view.getUint32(20) / 2 ** 32) * 1000;
          live.wall.push({ wall, ticks: Number(view.getBigUint64(24)) });
        }
        // Every box goes to the player: those it does not know must do no harm.
        await append(box);
        at += size;
      }
      rest = all.subarray(at);
    }
    live.ended = true;
  };
  run().catch((error) => { live.errors.push(String(error)); live.ended = true; });
}`;

/** Answers an offer and plays; \`answer(sdp)\` is exposed to the page. */
export const webRtcPlayer = `async ({ sdp }) => {
  const rtc = (globalThis.rtc = { frames: 0, state: 'new' });
  const asked = performance.now();
  const peer = new RTCPeerConnection();
  rtc.peer = peer;
  const video = document.createElement('video');
  rtc.video = video;
  video.muted = true;
  video.autoplay = true;
  document.body.append(video);
  peer.addEventListener('connectionstatechange', () => { rtc.state = peer.connectionState; });
  peer.addEventListener('track', ({ streams }) => { video.srcObject = streams[0]; });
  const onFrame = () => {
    rtc.firstFrameMs ??= performance.now() - asked;
    rtc.frames += 1;
    rtc.onFrame?.();
    video.requestVideoFrameCallback(onFrame);
  };
  video.requestVideoFrameCallback(onFrame);
  await peer.setRemoteDescription({ type: 'offer', sdp });
  await peer.setLocalDescription(await peer.createAnswer());
  if (peer.iceGatheringState !== 'complete')
    await new Promise((done) =>
      peer.addEventListener('icegatheringstatechange', () => peer.iceGatheringState === 'complete' && done()));
  await answer(peer.localDescription.sdp);
}`;
