/** Registry rows and how the wire shows them. */
import type { Area, Command, Device, Floor, Site } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime/base';
import type { z } from 'zod';

export type SiteRow = {
  id: string;
  org_id: string;
  name: string;
  time_zone: string;
  address: string;
  created_ms: number;
};
export type AreaRow = {
  id: string;
  org_id: string;
  site_id: string;
  parent_id: string | null;
  name: string;
  armed: z.infer<typeof Area>['armed'];
  armed_changed_ms: number | null;
};
export type FloorRow = {
  id: string;
  org_id: string;
  site_id: string;
  name: string;
  level: number;
  plan_width: number | null;
  plan_height: number | null;
  plan_sha256: string | null;
};
export type DeviceRow = {
  id: string;
  org_id: string;
  site_id: string;
  area_id: string;
  area_name: string;
  parent_id: string | null;
  kind: Device['kind'];
  name: string;
  external_id: string | null;
  tags: string;
  floor_id: string | null;
  place_x: number | null;
  place_y: number | null;
  status: Device['status'];
  conditions: string;
  state: string | null;
  last_seen_ms: number | null;
  clock_skew_ms: number | null;
  created_ms: number;
  revision: number;
  enrolled: number;
};
export type CommandRow = {
  id: string;
  org_id: string;
  device_id: string;
  device_name: string;
  name: Command['name'];
  args: string;
  state: Command['state'];
  requested_by: string;
  actor: string;
  incident_id: string | null;
  reason: string | null;
  error: string | null;
  trace_id: string;
  created_ms: number;
  expires_ms: number;
  finished_ms: number | null;
};

/** For `FROM devices d JOIN areas a ON a.id = d.area_id`. */
export const deviceColumns = `d.id, d.org_id, d.site_id, d.area_id, a.name AS area_name, d.parent_id, d.kind, d.name, d.external_id, d.tags,
  d.floor_id, d.place_x, d.place_y, d.status, d.conditions, d.state, d.last_seen_ms, d.clock_skew_ms, d.created_ms, d.revision,
  EXISTS (SELECT 1 FROM device_certificates c WHERE c.device_id = d.id AND c.revoked_ms IS NULL) AS enrolled`;

/** For `FROM commands c JOIN devices d ON d.id = c.device_id`. */
export const commandColumns = 'c.*, d.name AS device_name';

export const toSite = (row: SiteRow): z.infer<typeof Site> => ({
  id: row.id,
  org_id: row.org_id,
  name: row.name,
  time_zone: row.time_zone,
  address: row.address,
  created_at: toRfc3339(row.created_ms),
});

export const toArea = (row: AreaRow): z.infer<typeof Area> => ({
  id: row.id,
  org_id: row.org_id,
  site_id: row.site_id,
  parent_id: row.parent_id,
  name: row.name,
  armed: row.armed,
  ...(row.armed_changed_ms === null ? {} : { armed_changed_at: toRfc3339(row.armed_changed_ms) }),
});

export const toFloor = (row: FloorRow): z.infer<typeof Floor> => ({
  id: row.id,
  org_id: row.org_id,
  site_id: row.site_id,
  name: row.name,
  level: row.level,
  plan:
    row.plan_width === null || row.plan_height === null
      ? null
      : // The hash in the address makes a new picture a new address.
        {
          url: `/api/v1/floors/${row.id}/plan?v=${row.plan_sha256?.slice(0, 12) ?? ''}`,
          width: row.plan_width,
          height: row.plan_height,
        },
});

export const toDevice = (row: DeviceRow): Device => ({
  id: row.id,
  org_id: row.org_id,
  site_id: row.site_id,
  area_id: row.area_id,
  area_name: row.area_name,
  parent_id: row.parent_id,
  kind: row.kind,
  name: row.name,
  external_id: row.external_id,
  tags: JSON.parse(row.tags) as string[],
  place:
    row.floor_id === null || row.place_x === null || row.place_y === null
      ? null
      : { floor_id: row.floor_id, x: row.place_x, y: row.place_y },
  status: row.status,
  conditions: JSON.parse(row.conditions) as Device['conditions'],
  state: row.state,
  enrolled: row.enrolled === 1,
  created_at: toRfc3339(row.created_ms),
  revision: row.revision,
  ...(row.last_seen_ms === null ? {} : { last_seen_at: toRfc3339(row.last_seen_ms) }),
  ...(row.clock_skew_ms === null ? {} : { clock_skew_ms: row.clock_skew_ms }),
});

export const toCommand = (row: CommandRow): Command => ({
  id: row.id,
  org_id: row.org_id,
  device_id: row.device_id,
  device_name: row.device_name,
  name: row.name,
  args: JSON.parse(row.args) as Record<string, unknown>,
  state: row.state,
  requested_by: row.requested_by,
  created_at: toRfc3339(row.created_ms),
  ...(row.reason === null ? {} : { reason: row.reason }),
  ...(row.error === null ? {} : { error: row.error }),
  ...(row.finished_ms === null ? {} : { finished_at: toRfc3339(row.finished_ms) }),
});
