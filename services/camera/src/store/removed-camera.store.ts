/** Cameras that were removed, for the footage that they left. */
import type { Clock, Sqlite } from '@siphera/runtime';
import type { FootageCamera } from '../domain/camera.ts';

type Record = {
  camera_id: string;
  org_id: string;
  site_id: string;
  area_id: string;
  area_name: string;
  name: string;
  time_zone: string;
  scopes: string;
  removed_ms: number;
};

export class RemovedCameraStore {
  readonly #db: Sqlite;
  readonly #clock: Clock;

  constructor(db: Sqlite, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  /** As it was last. */
  put(camera: FootageCamera): void {
    this.#db
      .prepare<[Record]>(
        `INSERT OR REPLACE INTO removed_cameras
           (camera_id, org_id, site_id, area_id, area_name, name, time_zone, scopes, removed_ms)
         VALUES (@camera_id, @org_id, @site_id, @area_id, @area_name, @name, @time_zone, @scopes, @removed_ms)`,
      )
      .run({
        camera_id: camera.id,
        org_id: camera.orgId,
        site_id: camera.siteId,
        area_id: camera.areaId,
        area_name: camera.areaName,
        name: camera.name,
        time_zone: camera.timeZone,
        scopes: JSON.stringify(camera.scopes),
        removed_ms: Math.round(this.#clock.now()),
      });
  }

  get(id: string): FootageCamera | undefined {
    const record = this.#db
      .prepare<[string], Record>('SELECT * FROM removed_cameras WHERE camera_id = ?')
      .get(id);
    return record && toCamera(record);
  }

  of(orgId: string): FootageCamera[] {
    return this.#db
      .prepare<[string], Record>('SELECT * FROM removed_cameras WHERE org_id = ? ORDER BY camera_id')
      .all(orgId)
      .map(toCamera);
  }
}

const toCamera = (record: Record): FootageCamera => ({
  id: record.camera_id,
  orgId: record.org_id,
  siteId: record.site_id,
  areaId: record.area_id,
  areaName: record.area_name,
  name: record.name,
  timeZone: record.time_zone,
  scopes: JSON.parse(record.scopes) as string[],
});
