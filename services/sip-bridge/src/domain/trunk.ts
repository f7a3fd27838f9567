/** Trunks: what Kamailio gets of them, which settings it could not work with, what their numbers ring. */
import type { TrunkInput } from '@siphera/contract';
import type { PlannedTrunk } from '../plan.part.ts';
import { addressGroups, dispatcherSets, fields, fieldText, type SwitchTables } from './switch-tables.ts';

/** Seconds. Providers drop one that they have not heard of for an hour; a lost one is noticed sooner. */
const registrationSeconds = 600;
/** Addresses of one name that are tried: each dead one costs an emergency call two seconds. */
const destinationsMax = 4;
const setOfUse = {
  calls: dispatcherSets.calls,
  emergency: dispatcherSets.emergency,
  drill: dispatcherSets.drill,
} as const;

/** @returns why Kamailio could not work with it, in words; undefined: it can. */
export function trunkFault(input: TrunkInput & { password?: string | undefined }): string | undefined {
  if (input.kind === 'register' && input.username === '')
    return 'A trunk that we register at needs the username that the provider gave.';
  if (/[;=",\s\\\p{Cc}]/u.test(input.password ?? ''))
    return 'The password must not hold spaces , ; = " or \\: Kamailio could not be given it. Ask the provider for another one.';
  if (/[=,\\\p{Cc}]/u.test(input.username)) return 'The username must not hold , = or \\.';
  const numbers = input.numbers.map(({ number }) => number);
  const twice = numbers.find((number, index) => numbers.indexOf(number) !== index);
  return twice === undefined ? undefined : `The number ${twice} is there twice.`;
}

/** A number that two trunks carry must ring the same extension by both. */
export function numberDispute(
  trunk: Pick<PlannedTrunk, 'numbers'>,
  others: readonly Pick<PlannedTrunk, 'name' | 'numbers'>[],
): string | undefined {
  const rings = new Map(trunk.numbers.map(({ number, extension }) => [number, extension]));
  for (const other of others)
    for (const { number, extension } of other.numbers) {
      const here = rings.get(number);
      if (here !== undefined && here !== extension)
        return `${number} rings ${extension} by the trunk ${other.name}: it cannot ring ${here} by this one.`;
    }
  return undefined;
}

export const outsideNumbersOf = (trunks: readonly Pick<PlannedTrunk, 'numbers' | 'enabled'>[]): Set<string> =>
  new Set(trunks.flatMap(({ numbers, enabled }) => (enabled ? numbers.map(({ number }) => number) : [])));

const bracketed = (host: string): string =>
  host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
const isAddress = (host: string): boolean => /^\d{1,3}(\.\d{1,3}){3}$/.test(host) || host.startsWith('[');

const trunkUri = ({ port, transport }: Pick<PlannedTrunk, 'port' | 'transport'>, host: string): string =>
  `sip:${bracketed(host)}:${port}${transport === 'udp' ? '' : `;transport=${transport}`}`;

/**
 * Where its calls go: to the addresses that its name last had, so that an emergency call waits for no name server. TLS goes by the name,
 * which is what the certificate is for. IPv6 only where there is nothing else: most boxes have no way there, and a way that is none would
 * always be shown as lost.
 */
export function destinationHosts(
  trunk: Pick<PlannedTrunk, 'host' | 'transport'>,
  resolved: readonly string[],
): string[] {
  if (trunk.transport === 'tls' || resolved.length === 0 || isAddress(trunk.host)) return [trunk.host];
  const v4 = resolved.filter((address) => !address.includes(':'));
  return (v4.length > 0 ? v4 : resolved).slice(0, destinationsMax);
}

export type TrunkMade = { trunk: PlannedTrunk; password: string; resolved: readonly string[] };

/** What it may be known by: its own addresses and those its host name had. */
export const addressesOf = ({ trunk, resolved }: Pick<TrunkMade, 'trunk' | 'resolved'>): string[] => [
  ...new Set([
    ...trunk.addresses,
    ...(isAddress(trunk.host) ? [trunk.host.replaceAll(/[[\]]/g, '')] : resolved),
  ]),
];

/** Trunks that are switched off are not in it: nothing goes there, and nothing is taken from there. */
export function trunkTables(all: readonly TrunkMade[]): Partial<SwitchTables> {
  const made = all.filter(({ trunk }) => trunk.enabled);
  return {
    tables: {
      trunk: Object.fromEntries(
        made.map(({ trunk, password }) => [
          trunk.id,
          // Its name last: free text ends what is read of the fields behind it, should somebody read them carelessly.
          fields({
            style: trunk.location_style,
            format: trunk.number_format,
            user: trunk.username,
            password,
            domain: trunk.host,
            name: fieldText(trunk.name),
          }),
        ]),
      ),
      did: Object.fromEntries(
        made.flatMap(({ trunk }) => trunk.numbers.map(({ number, extension }) => [number, extension])),
      ),
    },
    addresses: made.flatMap((one) =>
      addressesOf(one).map((network) => ({ group: addressGroups.trunk, network, tag: one.trunk.id })),
    ),
    destinations: made.flatMap(({ trunk, resolved }) =>
      trunk.uses.flatMap((use) =>
        destinationHosts(trunk, resolved).map((host) => ({
          set: setOfUse[use],
          uri: trunkUri(trunk, host),
          // Lower is first with us, higher with the dispatcher.
          priority: 100 - trunk.priority,
          fields: { trunk: trunk.id, style: trunk.location_style },
        })),
      ),
    ),
    registrations: made
      .filter(({ trunk }) => trunk.kind === 'register')
      .map(({ trunk, password }) => ({
        id: trunk.id,
        username: trunk.username,
        domain: trunk.host,
        realm: '',
        password,
        proxy: trunkUri(trunk, trunk.host),
        expires: registrationSeconds,
      })),
  };
}
