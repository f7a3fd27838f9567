/** Cameras as they are stored. Passwords are sealed on the way in and opened on the way out, nowhere else. */
import { CameraStream, RecordingPolicy, Watches } from '@siphera/contract';
import type { KeyBox, Sqlite } from '@siphera/runtime';
import type { CameraRow } from '../domain/camera-row.ts';

type Record = {
  id: string;
  org_id: string;
  enabled: number;
  connection: 'onvif' | 'rtsp';
  address: string;
  onvif_url: string | null;
  username: string | null;
  password_sealed: Buffer | null;
  manufacturer: string | null;
  model: string | null;
  firmware: string | null;
  serial: string | null;
  mac: string | null;
  endpoint: string | null;
  profiles: string;
  streams: string;
  main_profile: string | null;
  sub_profile: string | null;
  snapshot_url: string | null;
  has_ptz: number;
  has_events: number;
  relays: number;
  inputs: number;
  recording: string;
  motion_hold_ms: number;
  watches: string;
  revision: number;
  created_ms: number;
};

const columns = [
  'id',
  'org_id',
  'enabled',
  'connection',
  'address',
  'onvif_url',
  'username',
  'password_sealed',
  'manufacturer',
  'model',
  'firmware',
  'serial',
  'mac',
  'endpoint',
  'profiles',
  'streams',
  'main_profile',
  'sub_profile',
  'snapshot_url',
  'has_ptz',
  'has_events',
  'relays',
  'inputs',
  'recording',
  'motion_hold_ms',
  'watches',
  'revision',
  'created_ms',
] as const satisfies readonly (keyof Record)[];

export class CameraStore {
  readonly #db: Sqlite;
  readonly #keys: KeyBox;

  constructor(db: Sqlite, keys: KeyBox) {
    this.#db = db;
    this.#keys = keys;
  }

  /** @throws Error when a password does not open with CAMERA_KEY_FILE. */
  all(): CameraRow[] {
    return this.#db
      .prepare<[], Record>('SELECT * FROM cameras ORDER BY id')
      .all()
      .map((record) => this.#fromRecord(record));
  }

  save(row: CameraRow): void {
    const others = columns.filter((column) => column !== 'id');
    this.#db
      .prepare(
        `INSERT INTO cameras (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})
         ON CONFLICT (id) DO UPDATE SET ${others.map((column) => `${column} = excluded.${column}`).join(', ')}`,
      )
      .run(this.#toRecord(row));
  }

  remove(id: string): void {
    for (const table of ['motions', 'levels', 'presence'])
      this.#db.prepare(`DELETE FROM ${table} WHERE camera_id = ?`).run(id);
    this.#db.prepare('DELETE FROM cameras WHERE id = ?').run(id);
  }

  #fromRecord(record: Record): CameraRow {
    const { username, password_sealed: sealed } = record;
    return {
      id: record.id,
      orgId: record.org_id,
      enabled: record.enabled === 1,
      connection: record.connection,
      address: record.address,
      onvifUrl: record.onvif_url,
      credentials:
        username !== null && sealed !== null
          ? { username, password: this.#keys.open(sealed, `camera ${record.id}`).toString('utf8') }
          : null,
      manufacturer: record.manufacturer,
      model: record.model,
      firmware: record.firmware,
      serial: record.serial,
      mac: record.mac,
      endpoint: record.endpoint,
      profiles: JSON.parse(record.profiles) as CameraRow['profiles'],
      streams: CameraStream.array().parse(JSON.parse(record.streams)),
      mainProfile: record.main_profile,
      subProfile: record.sub_profile,
      snapshotUrl: record.snapshot_url,
      hasPtz: record.has_ptz === 1,
      hasEvents: record.has_events === 1,
      relays: record.relays,
      inputs: record.inputs,
      recording: RecordingPolicy.parse(JSON.parse(record.recording)),
      motionHoldMs: record.motion_hold_ms,
      watches: Watches.parse(JSON.parse(record.watches)),
      revision: record.revision,
      createdMs: record.created_ms,
    };
  }

  #toRecord(row: CameraRow): Record {
    const sealed = row.credentials
      ? this.#keys.seal(Buffer.from(row.credentials.password, 'utf8'), `camera ${row.id}`)
      : null;
    return {
      id: row.id,
      org_id: row.orgId,
      enabled: row.enabled ? 1 : 0,
      connection: row.connection,
      address: row.address,
      onvif_url: row.onvifUrl,
      username: row.credentials?.username ?? null,
      password_sealed: sealed,
      manufacturer: row.manufacturer,
      model: row.model,
      firmware: row.firmware,
      serial: row.serial,
      mac: row.mac,
      endpoint: row.endpoint,
      profiles: JSON.stringify(row.profiles),
      streams: JSON.stringify(row.streams),
      main_profile: row.mainProfile,
      sub_profile: row.subProfile,
      snapshot_url: row.snapshotUrl,
      has_ptz: row.hasPtz ? 1 : 0,
      has_events: row.hasEvents ? 1 : 0,
      relays: row.relays,
      inputs: row.inputs,
      recording: JSON.stringify(row.recording),
      motion_hold_ms: row.motionHoldMs,
      watches: JSON.stringify(row.watches),
      revision: row.revision,
      created_ms: row.createdMs,
    };
  }
}
