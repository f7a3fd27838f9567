/** Set-up of calls: encrypted like a message, but for the moment. It is not kept, and what does not get out now is no use later. */
import { TurnCredentials } from '@siphera/contract';
import { TalkError } from '../api.ts';
import { CallContent } from '../content.ts';
import type { TalkPlace } from '../ports.ts';
import { sendDirect, sendOlm } from './direct.ts';
import type { Ground } from './ground.ts';
import { uncounted } from './sending.ts';
import { Serial } from './serial.ts';

/** In the order in which they were given, for each person: an offer comes before its candidates. */
const lanes = new WeakMap<Ground, Map<string, Serial>>();

function laneOf(ground: Ground, userId: string): Serial {
  const all = lanes.get(ground) ?? new Map<string, Serial>();
  lanes.set(ground, all);
  const lane = all.get(userId) ?? new Serial();
  all.set(userId, lane);
  return lane;
}

/** @throws TalkError `refused` for what no device would take, `no_device`, `keys_changed`; and what the port throws */
export async function callOut(
  ground: Ground,
  userId: string,
  deviceId: string | null,
  content: CallContent,
  wake: boolean,
): Promise<void> {
  if (!CallContent.safeParse(content).success) throw new TalkError('refused', 'This is no set-up of a call');
  const id = ground.place.randomUuid();
  const [a, b] = [ground.userId, userId].sort();
  const envelope = uncounted(ground, id, `d:${a ?? ''}:${b ?? ''}`, content);
  const to = ground.userName(userId);
  await laneOf(ground, userId).run(async () => {
    if (deviceId === null && userId !== ground.userId)
      await sendDirect(ground, to, envelope, { wake: wake ? 'call' : 'none', siblings: false });
    else await sendOlm(ground, id, to, deviceId === null ? null : [deviceId], envelope);
  });
}

/** Relays of the box; none when it has none. */
export async function turnServers(place: TalkPlace): Promise<RTCIceServer[]> {
  const { uris, username, credential } = TurnCredentials.parse(await place.rest.call('getTurn'));
  return uris.length === 0 ? [] : [{ urls: uris, username, credential }];
}
