/** A trunk as its form edits it, and back to what the bridge takes. Numbers and addresses are typed one a line. */
import type { Trunk, TrunkBody } from '#features/telephony/telephony-types.ts';

export type TrunkDraft = {
  name: string;
  host: string;
  port: number;
  transport: Trunk['transport'];
  kind: Trunk['kind'];
  username: string;
  password: string;
  addresses: string;
  priority: number;
  enabled: boolean;
  uses: Trunk['uses'];
  location_style: Trunk['location_style'];
  number_format: Trunk['number_format'];
  numbers: string;
};

const sipPort = 5060;
const defaultPriority = 50;

export const toDraft = (one: Trunk | undefined): TrunkDraft => ({
  name: one?.name ?? '',
  host: one?.host ?? '',
  port: one?.port ?? sipPort,
  transport: one?.transport ?? 'udp',
  kind: one?.kind ?? 'register',
  username: one?.username ?? '',
  password: '',
  addresses: (one?.addresses ?? []).join('\n'),
  priority: one?.priority ?? defaultPriority,
  enabled: one?.enabled ?? true,
  uses: [...(one?.uses ?? ['calls', 'emergency'])] as Trunk['uses'],
  location_style: one?.location_style ?? 'none',
  number_format: one?.number_format ?? 'e164',
  numbers: (one?.numbers ?? []).map(({ number, extension }) => `${number} ${extension}`).join('\n'),
});

export const linesOf = (text: string): string[] =>
  text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

export function toBody(draft: TrunkDraft): TrunkBody {
  return {
    name: draft.name.trim(),
    host: draft.host.trim(),
    port: draft.port,
    transport: draft.transport,
    kind: draft.kind,
    username: draft.username.trim(),
    addresses: linesOf(draft.addresses),
    priority: draft.priority,
    enabled: draft.enabled,
    uses: draft.uses,
    location_style: draft.location_style,
    number_format: draft.number_format,
    numbers: linesOf(draft.numbers).map((line) => {
      const [number = '', extension = ''] = line.split(/[\s=→>]+/);
      return { number, extension };
    }),
    ...(draft.password === '' ? {} : { password: draft.password }),
  };
}
