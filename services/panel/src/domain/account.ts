/** What the receiver knows of an account, and how a report finds its device, area and name. */

export type Transport = 'tcp' | 'udp';
export type AccountState = 'waiting' | 'active' | 'ignored';
export type SupervisionState = 'off' | 'ok' | 'lost';

export type Zone = {
  /** Null: in whatever partition. */
  partition: string | null;
  /** Null: the partition itself. */
  zone: string | null;
  name: string;
  deviceId: string | null;
  areaId: string | null;
};

export type Account = {
  id: string;
  account: string;
  /** Null while it waits: nobody has said yet whose it is. */
  orgId: string | null;
  siteId: string | null;
  state: AccountState;
  name: string;
  deviceId: string | null;
  areaId: string | null;
  key: Buffer | null;
  requireEncryption: boolean;
  supervisionMs: number | null;
  supervision: SupervisionState;
  zones: ZoneIndex;
};

export type ZoneIndex = ReadonlyMap<string, Zone>;

export type Place = {
  subject: string | undefined;
  areaId: string | undefined;
  zoneName: string | undefined;
  partitionName: string | undefined;
};

/** DC-09 §5.5.1.6, as the contract has it. */
export const isAccountNumber = (text: string): boolean => /^[0-9A-F]{3,16}$/.test(text);

export function indexZones(zones: readonly Zone[]): ZoneIndex {
  return new Map(zones.map((zone) => [zoneKey(zone.partition, zone.zone), zone]));
}

/** Panels write one zone as `5`, `05` or `005`, so leading zeros do not count. */
export const zoneKey = (partition: string | null, zone: string | null): string =>
  `${plain(partition)}/${plain(zone)}`;

/**
 * Where a report belongs: its zone in its partition, else its zone in any partition, else its partition, else the
 * account. A mapping that names only an area gives no subject: the area is then all that is known.
 */
export function locate(
  account: Pick<Account, 'deviceId' | 'areaId' | 'zones'> | undefined,
  partition: string | undefined,
  zone: string | undefined,
): Place {
  if (!account)
    return { subject: undefined, areaId: undefined, zoneName: undefined, partitionName: undefined };
  const mappedZone =
    zone === undefined
      ? undefined
      : (account.zones.get(zoneKey(partition ?? null, zone)) ?? account.zones.get(zoneKey(null, zone)));
  const mappedPartition = partition === undefined ? undefined : account.zones.get(zoneKey(partition, null));
  const mapped = mappedZone ?? mappedPartition;
  const areaId = mappedZone?.areaId ?? mappedPartition?.areaId ?? account.areaId ?? undefined;
  const subject = mapped ? mapped.deviceId : account.deviceId;
  return {
    subject: subject ?? (mapped?.areaId ? undefined : (account.deviceId ?? undefined)),
    areaId,
    zoneName: mappedZone?.name,
    partitionName: mappedPartition?.name,
  };
}

const plain = (text: string | null): string =>
  text === null
    ? ''
    : text
        .trim()
        .toUpperCase()
        .replace(/^0+(?=.)/, '');
