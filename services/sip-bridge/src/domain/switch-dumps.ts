/** What Kamailio answers to commands that show its state. Read leniently: a field more changes nothing, one that is missing is nothing. */
import type { ExtensionView } from '@siphera/contract';
import { z } from 'zod';

const text = z.string().nullish().catch(null);
const Contact = z.looseObject({
  Address: z.string(),
  // "permanent", "expired", "deleted" besides numbers.
  Expires: z.union([z.number(), z.string()]).catch(0),
  'User-Agent': text,
  Received: text,
  Socket: text,
  'Call-ID': text,
  'Last-Modified': z.number().catch(0),
});
const UlDump = z.looseObject({
  Domains: z.array(
    z.looseObject({
      Domain: z.looseObject({
        AoRs: z
          .array(
            z.looseObject({
              Info: z.looseObject({
                AoR: z.string(),
                Contacts: z.array(z.looseObject({ Contact })).catch([]),
              }),
            }),
          )
          .catch([]),
      }),
    }),
  ),
});

export type RegisteredContact = {
  number: string;
  /** As Kamailio has it: what it is removed by. */
  uri: string;
  /** Where requests go: the phone's address, or the front door's for a browser. */
  address: string;
  transport: ExtensionView['contacts'][number]['transport'];
  userAgent: string;
  expiresSeconds: number;
  /** Unix seconds of its last REGISTER; 0 when Kamailio does not say. */
  modifiedSeconds: number;
};

/** @throws ZodError when the answer is no dump of contacts. */
export function contactsOf(answer: unknown): RegisteredContact[] {
  return UlDump.parse(answer)
    .Domains.flatMap(({ Domain }) =>
      Domain.AoRs.flatMap(({ Info }) =>
        Info.Contacts.map(({ Contact: contact }) => ({
          number: Info.AoR.split('@')[0] ?? '',
          ...reachOf(contact),
          uri: contact.Address,
          userAgent: (contact['User-Agent'] ?? '').slice(0, 200),
          expiresSeconds: typeof contact.Expires === 'number' ? contact.Expires : 0,
          modifiedSeconds: contact['Last-Modified'],
        })),
      ),
    )
    .filter(({ expiresSeconds }) => expiresSeconds > 0);
}

function reachOf({
  Address,
  Received,
  Socket,
}: z.infer<typeof Contact>): Pick<RegisteredContact, 'address' | 'transport'> {
  const uri = Received?.startsWith('sip') ? Received : Address;
  const [, host = uri] = /^sips?:(?:[^@;]*@)?([^;>?]*)/.exec(uri) ?? [];
  const said = /;transport=(\w+)/i.exec(uri)?.[1]?.toLowerCase();
  const transport = (['udp', 'tcp', 'tls', 'ws', 'wss'] as const).find(
    (one) => one === (said ?? Socket?.split(':')[0]),
  );
  return { address: host, transport: transport ?? 'udp' };
}

const DispatcherList = z.looseObject({
  RECORDS: z.array(
    z.looseObject({
      SET: z.looseObject({
        ID: z.number(),
        TARGETS: z.array(
          z.looseObject({
            DEST: z.looseObject({
              URI: z.string(),
              FLAGS: z.string(),
              ATTRS: z.looseObject({ BODY: text }).nullish(),
            }),
          }),
        ),
      }),
    }),
  ),
});
export type Destination = { set: number; uri: string; trunk: string; isUp: boolean; isProbed: boolean };

/** First letter: Active, Trying, Inactive, Disabled; second: Probing, or X for not. */
export function destinationsOf(answer: unknown): Destination[] {
  return DispatcherList.parse(answer).RECORDS.flatMap(({ SET }) =>
    SET.TARGETS.map(({ DEST }) => ({
      set: SET.ID,
      uri: DEST.URI,
      trunk: /(?:^|;)trunk=([^;]+)/.exec(DEST.ATTRS?.BODY ?? '')?.[1] ?? '',
      isUp: /^[AT]/.test(DEST.FLAGS),
      isProbed: DEST.FLAGS[1] === 'P',
    })),
  );
}

/** The password is in it as well: it goes no further than this. */
const RegDump = z.array(
  z.looseObject({ l_uuid: z.string(), flags: z.number(), diff_expires: z.number().catch(0) }),
);
/** Flags of module uac: 1 disabled, 2 under way, 4 registered. */
const registeredFlag = 4;

/** By trunk, whether we are registered there. */
export const registrationsOf = (answer: unknown): Map<string, boolean> =>
  new Map(RegDump.parse(answer).map(({ l_uuid: id, flags }) => [id, (flags & registeredFlag) !== 0]));

const TableDump = z.array(
  z.looseObject({
    slot: z.array(z.looseObject({ name: z.string(), value: z.union([z.string(), z.number()]) })),
  }),
);
/** Keys of a table in memory. */
export const keysOf = (answer: unknown): string[] =>
  TableDump.parse(answer).flatMap(({ slot }) => slot.map(({ name }) => name));
