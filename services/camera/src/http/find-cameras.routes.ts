/** Finding cameras over REST: discovery, the probe wizard, CSV with a preview that names each bad row. */
import { isGranted, RecordingPolicy, Watches, type cameraRoutes, type ImportReport } from '@siphera/contract';
import { AppError, type Call, type Caller, type Handlers } from '@siphera/runtime';
import type { z } from 'zod';
import { endpointAddress, endpointUrl, hostOf, onvifEndpoint } from '../domain/address.ts';
import { readCameraCsv, type CsvCamera } from '../domain/camera-csv.ts';
import type { CameraRow } from '../domain/camera-row.ts';
import { expandRanges, rangeAddressesMax } from '../domain/onvif/discovery.ts';
import type { Ground } from '../ground.ts';
import type { Base } from '../part.ts';
import type { Onvif } from '../adapters/onvif/create-onvif.ts';
import { discover, type Discovered } from '../adapters/onvif/discovery.ts';
import { examine, toReport } from '../adapters/onvif/examine.ts';
import { isSameCamera } from '../adapters/onvif/learned.ts';
import { mayOnCamera } from './access.ts';
import { auditOf } from './audit.ts';
import { actorOf, addDevice, newRow, unseenStreams } from './camera-changes.ts';

type Names = 'discoverCameras' | 'probeCameras' | 'previewCameraImport' | 'importCameras';
type FindHandlers = Pick<Handlers<typeof cameraRoutes>, Names>;
type Parts = { ground: Ground; base: Base; onvif: Onvif };
type Report = z.infer<typeof ImportReport>;

/** A scan opens a hundred connections at once. */
const discoveriesMax = 2;
/** Examinations at once, over all callers. */
const probesMax = 32;

export function findHandlers(parts: Parts): FindHandlers {
  const { ground, base } = parts;
  const discoveries = gate(discoveriesMax, 'The box is looking for cameras already.');
  const probes = gate(probesMax, 'Too many cameras are being examined at once.');
  return {
    discoverCameras: ({ caller, body }) =>
      discoveries(1, async () => {
        const addresses = expandRanges(body.ranges);
        if (!addresses)
          throw new AppError(
            'validation_failed',
            `Ranges are like 10.0.0.0/24 or 10.0.0.10-99, ${rangeAddressesMax} addresses in all at most.`,
          );
        const { network } = ground;
        const refused = addresses.map((address) => network.refusal(address));
        if (refused.length > 0 && refused.every((why) => why !== undefined))
          throw new AppError('unprocessable', `${refused[0] ?? ''}.`);
        const found = await discover({
          waitMs: body.wait_ms,
          from: ground.config.DISCOVERY_ADDRESSES,
          addresses,
          random: ground.random,
          network,
          now: () => ground.clock.now(),
        });
        return { items: found.map((one) => shownFind(parts, caller, one)) };
      }),

    probeCameras: ({ caller, body }) =>
      probes(body.addresses.length, async () => ({
        items: await Promise.all(
          body.addresses.map(async (address) => {
            const found = await examine({
              address,
              logins: body.credentials,
              network: ground.network,
              now: () => ground.clock.now(),
            });
            const { serial } = found.information;
            const known = base.registry.rows().find((row) => isSameCamera(row, { serial, mac: found.mac }));
            return toReport(address.slice(0, 200), found, visibleId(parts, caller, known));
          }),
        ),
      })),

    previewCameraImport: async ({ caller, body }) => {
      await base.registry.refresh();
      return report(readRows(parts, caller, body), false);
    },

    importCameras: async (call) => {
      await base.registry.refresh();
      const rows = readRows(parts, call.caller, call.body);
      await addRows(parts, call, rows);
      await base.registry.refresh();
      return report(rows, true);
    },
  };
}

function shownFind(parts: Parts, caller: Caller, one: Discovered) {
  const { base, onvif, ground } = parts;
  const known = base.registry.rows().find((row) => isSameCamera(row, one) || row.onvifUrl === one.onvifUrl);
  // Found under a new address while the old one is dead: it is asked whether it is the same.
  if (known && known.onvifUrl !== one.onvifUrl && !onvif.links.isOnline(known.id))
    onvif.finder
      .offer(known, one)
      .catch((error: unknown) => ground.log.warn('offer_failed', { error, camera_id: known.id }));
  const endpoint = onvifEndpoint(one.onvifUrl);
  return {
    address: endpoint ? endpointAddress(endpoint) : one.onvifUrl,
    onvif_url: one.onvifUrl,
    name: one.name,
    hardware: one.hardware,
    mac: one.mac,
    endpoint: one.endpoint === '' ? null : one.endpoint,
    camera_id: visibleId(parts, caller, known),
  };
}

function visibleId({ ground }: Parts, caller: Caller, row: CameraRow | undefined): string | null {
  const camera = row && ground.directory.get(row.id);
  return camera && mayOnCamera(caller, 'camera.live', camera) ? camera.id : null;
}

function readRows({ base }: Parts, caller: Caller, body: { csv: string; site_id: string }): CsvCamera[] {
  const areas = base.registry
    .areasOf(body.site_id)
    .filter(
      (area) =>
        area.org_id === caller.claims.org && isGranted(caller.claims.grants, 'camera.manage', area.scopes),
    );
  if (areas.length === 0)
    throw new AppError('not_found', 'There is no such site, or no area of it that you manage cameras in.');
  const taken = new Map(
    base.registry
      .rows()
      .map((row) => [row.connection === 'rtsp' ? (row.streams[0]?.url ?? '') : row.address, row.id] as const),
  );
  return readCameraCsv(body.csv, {
    areas,
    takenBy: (address) => {
      const id = taken.get(address);
      return id === undefined ? undefined : (base.registry.device(id)?.name ?? 'another camera');
    },
  });
}

/** Core is asked row by row; one that it refuses is named, and the rest go on. */
async function addRows(
  { ground, base }: Parts,
  { caller, address }: Call<typeof cameraRoutes.importCameras>,
  rows: readonly CsvCamera[],
): Promise<void> {
  const actor = actorOf(caller, address);
  for (const row of rows) {
    if (row.errors.length > 0) continue;
    try {
      const id = await addDevice(
        ground.client,
        actor,
        { name: row.name, area_id: row.areaId, place: null },
        null,
      );
      const parsed = {
        recording: RecordingPolicy.parse(row.recording),
        watches: Watches.parse({}),
        credentials: row.credentials,
      };
      base.registry.save(newRow(id, caller.claims.org, parsed, reachOf(row), ground.clock.now()), () =>
        auditOf(ground.outbox, caller, {
          action: 'camera.import',
          target: `camera:${id}`,
          detail: { name: row.name, address: row.address ?? row.rtspUrls[0] },
        }),
      );
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      row.errors.push({ column: 'row', message: error.message });
    }
  }
}

function reachOf({
  address,
  rtspUrls,
}: CsvCamera): Pick<CameraRow, 'connection' | 'address' | 'onvifUrl' | 'streams'> {
  const endpoint = address === undefined ? undefined : onvifEndpoint(address);
  if (!endpoint) {
    const streams = unseenStreams(rtspUrls);
    return { connection: 'rtsp', address: hostOf(rtspUrls[0] ?? ''), onvifUrl: null, streams };
  }
  return {
    connection: 'onvif',
    address: endpointAddress(endpoint),
    onvifUrl: endpointUrl(endpoint),
    streams: [],
  };
}

const report = (rows: readonly CsvCamera[], applied: boolean): Report => {
  const bad = rows.filter(({ errors }) => errors.length > 0).length;
  return {
    rows: rows.map(({ line, name, errors }) => ({
      line,
      action: errors.length > 0 ? 'error' : 'create',
      name,
      errors,
    })),
    ok: rows.length - bad,
    bad,
    applied,
  };
};

/** Lets in `max` units of work at once; more are told to come again. */
function gate(max: number, message: string) {
  let inside = 0;
  return async <T>(units: number, work: () => Promise<T>): Promise<T> => {
    if (inside > 0 && inside + units > max) throw new AppError('overloaded', message);
    inside += units;
    try {
      return await work();
    } finally {
      inside -= units;
    }
  };
}
