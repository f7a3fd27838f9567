/** One thing of every kind in an org, and a request to every route that names them. For the authorisation matrix. */
import type { RouteName } from '@siphera/contract';
import { call, type callRaw, type RestTarget } from '@siphera/testkit';
import { goodPassword } from './people.ts';
import { transcriptOf } from './transcript.ts';

export type World = Record<
  | 'org'
  | 'site'
  | 'area'
  | 'floor'
  | 'door'
  | 'controller'
  | 'user'
  | 'group'
  | 'binding'
  | 'key'
  | 'rule'
  | 'incident'
  | 'attachment'
  | 'procedure'
  | 'escalation'
  | 'webhook'
  | 'deadLetter'
  | 'command'
  | 'session'
  | 'panelAccount',
  string
> & { event: number };

export type Input = NonNullable<Parameters<typeof callRaw>[2]>;

/** A one-pixel PNG. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const picture = { upload: { mediaType: 'image/png', bytes: png } };

const ruleBody = {
  name: 'Rival rule',
  trigger: { kind: 'event', types: ['door.forced'] },
  actions: [{ kind: 'incident', title: 'Forced', severity: 'high' }],
};
const escalationBody = {
  name: 'Plan',
  severity_min: 'high',
  steps: [{ after_ms: 60_000, channels: ['console'] }],
  default: false,
};
const zonesCsv = 'partition,zone,name,device_id,area_id\n1,005,Dock door,,\n';
const procedureBody = { name: 'Steps', steps: [{ text: 'Look' }] };
const testEvent = (subject: string) => ({
  specversion: '1.0',
  id: crypto.randomUUID(),
  source: 'test/matrix',
  type: 'door.opened',
  subject,
  data: {},
});

const byId = (params: (world: World) => string, body?: unknown) => (world: World) => ({
  params: { id: params(world) },
  ...(body === undefined ? {} : { body }),
});
const bare =
  (input: Input = {}) =>
  (): Input =>
    input;
const act = (body: unknown = {}) => byId((world) => world.incident, body);

/** A well-formed request to each route, naming things of the world where the route names any. */
export const requests: Partial<Record<RouteName, (world: World) => Input>> = {
  getSetup: bare(),
  runSetup: bare({ body: {} }),
  login: bare({ body: { email: 'nobody@example.org', password: 'x', device_name: 'x' } }),
  refresh: bare(),
  getJwks: bare(),
  getMe: bare(),
  updateMe: bare({ body: { locale: 'en' } }),
  changePassword: bare({ body: { current: 'not it', next: goodPassword } }),
  listSessions: bare(),
  listUsers: bare(),
  createUser: () => ({
    body: { name: 'New', email: `${crypto.randomUUID()}@example.org`, password: 'brown owls sort gravel' },
  }),
  getUser: byId((world) => world.user),
  updateUser: byId((world) => world.user, { locale: 'de' }),
  listGroups: bare(),
  createGroup: bare({ body: { name: 'New' } }),
  updateGroup: (world) => ({ params: { id: world.group }, body: { member_ids: [world.user] } }),
  listRoleBindings: bare(),
  createRoleBinding: (world) => ({
    body: {
      subject: { kind: 'user', id: world.user },
      role: 'viewer',
      scope: { kind: 'area', id: world.area },
    },
  }),
  listApiKeys: bare(),
  createApiKey: (world) => ({
    body: { name: 'New', permissions: ['event.read'], scope: { kind: 'site', id: world.site } },
  }),
  listSites: bare(),
  createSite: bare({ body: { name: 'New', time_zone: 'UTC', address: '' } }),
  updateSite: byId((world) => world.site, { address: 'Kai 3' }),
  listAreas: bare(),
  createArea: (world) => ({ body: { site_id: world.site, name: 'New' } }),
  updateArea: byId((world) => world.area, { name: 'Dock' }),
  listFloors: bare(),
  createFloor: (world) => ({ body: { site_id: world.site, name: 'New', level: 1 } }),
  updateFloor: byId((world) => world.floor, { level: 2 }),
  putFloorPlan: (world) => ({ params: { id: world.floor }, ...picture }),
  getFloorPlan: byId((world) => world.floor),
  listDevices: bare(),
  createDevice: (world) => ({ body: { area_id: world.area, kind: 'motion', name: 'New' } }),
  getDevice: byId((world) => world.door),
  updateDevice: byId((world) => world.door, { name: 'Dock door' }),
  previewDeviceImport: (world) => ({
    body: { site_id: world.site, csv: 'name,kind,area\nA,door,Whole site\n' },
  }),
  importDevices: (world) => ({ body: { site_id: world.site, csv: 'name,kind,area\nA,door,Whole site\n' } }),
  createEnrolmentCode: byId((world) => world.controller),
  revokeDeviceCertificate: byId((world) => world.controller),
  enrol: bare({ body: { code: 'AAAAA-BBBBB', csr_pem: 'none' } }),
  createCommand: byId((world) => world.door, { name: 'identify' }),
  getCommand: byId((world) => world.command),
  listCommands: byId((world) => world.door),
  unlockDoor: byId((world) => world.door, { seconds: 5 }),
  lockDoor: byId((world) => world.door, {}),
  appendEvents: (world) => ({ body: testEvent(world.door) }),
  listEvents: bare(),
  getEvent: (world) => ({ params: { seq: world.event } }),
  listEventTypes: bare(),
  listDeadLetters: bare(),
  replayDeadLetter: byId((world) => world.deadLetter),
  getRetention: bare(),
  putRetention: bare({ body: { policies: [{ class: 'motion', days_max: 30, bytes_max: null }] } }),
  // A position that does not exist yet is refused at once; a stream would never end.
  stream: bare({ query: { after: 1_000_000_000 } }),
  listRules: bare(),
  createRule: (world) => ({ body: { ...ruleBody, site_id: world.site } }),
  getRule: byId((world) => world.rule),
  putRule: byId((world) => world.rule, ruleBody),
  listRuleVersions: byId((world) => world.rule),
  listRuleTraces: bare(),
  listIncidents: bare(),
  createIncident: (world) => ({ body: { title: 'By hand', severity: 'low', area_id: world.area } }),
  getIncident: byId((world) => world.incident),
  listTimeline: byId((world) => world.incident),
  acknowledgeIncident: act(),
  assignIncident: (world) => ({ params: { id: world.incident }, body: { user_id: world.user } }),
  resolveIncident: act({ code: 'test' }),
  closeIncident: act(),
  reopenIncident: act({ reason: 'Not over' }),
  setIncidentSeverity: act({ severity: 'low' }),
  tickIncidentStep: (world) => ({ params: { id: world.incident, index: 0 }, body: { done: true } }),
  commentIncident: act({ text: 'Seen' }),
  addIncidentCall: (world) => ({
    params: { id: world.incident },
    body: {
      call_id: crypto.randomUUID(),
      with_user_ids: [world.user],
      media: 'voice',
      outcome: 'answered',
      started_at: '2026-11-28T10:00:00.000Z',
      duration_ms: 61_000,
    },
  }),
  fileTranscript: (world) => ({
    params: { id: world.incident },
    body: transcriptOf({ incidentId: world.incident, filedBy: world.user }).body,
  }),
  attachToIncident: (world) => ({ params: { id: world.incident }, ...picture }),
  getAttachment: byId((world) => world.attachment),
  listProcedures: bare(),
  createProcedure: bare({ body: procedureBody }),
  putProcedure: byId((world) => world.procedure, procedureBody),
  getSmtp: bare(),
  putSmtp: bare({
    body: { enabled: false, host: '', port: 25, security: 'none', username: '', from: '' },
  }),
  testSmtp: bare({ body: { to: 'ada@example.org' } }),
  listWebhooks: bare(),
  createWebhook: bare({ body: { name: 'New', url: 'https://hooks.invalid/new' } }),
  updateWebhook: byId((world) => world.webhook, { active: false }),
  testWebhook: byId((world) => world.webhook),
  listDeliveries: bare(),
  listEscalations: bare(),
  createEscalation: bare({ body: escalationBody }),
  putEscalation: byId((world) => world.escalation, escalationBody),
  listAudit: bare(),
  verifyAudit: bare(),
  exportAudit: bare(),
  getHealth: bare(),
  getSystemHealth: bare(),
  getSettings: bare(),
  patchSettings: bare({ body: { outbound_allow: ['192.168.7.0/24'] } }),
  getTrust: bare(),
  getCaCertificate: bare(),
  getCaProfile: bare(),
  getOpenApi: bare(),
  listPanelAccounts: bare(),
  createPanelAccount: (world) => ({
    body: { account: crypto.randomUUID().slice(0, 8).toUpperCase(), name: 'New', site_id: world.site },
  }),
  getPanelAccount: byId((world) => world.panelAccount),
  updatePanelAccount: byId((world) => world.panelAccount, { name: 'Dock panel' }),
  listZones: byId((world) => world.panelAccount),
  putZones: byId((world) => world.panelAccount, { items: [] }),
  previewZoneImport: byId((world) => world.panelAccount, { csv: zonesCsv }),
  importZones: byId((world) => world.panelAccount, { csv: zonesCsv }),
  listFrames: bare(),
  // What removes things comes last.
  deletePanelAccount: byId((world) => world.panelAccount),
  deleteDeadLetter: byId((world) => world.deadLetter),
  deleteRule: byId((world) => world.rule),
  deleteProcedure: byId((world) => world.procedure),
  deleteEscalation: byId((world) => world.escalation),
  deleteWebhook: byId((world) => world.webhook),
  deleteFloor: byId((world) => world.floor),
  deleteDevice: byId((world) => world.door),
  deleteArea: byId((world) => world.area),
  deleteSite: byId((world) => world.site),
  deleteApiKey: byId((world) => world.key),
  deleteRoleBinding: byId((world) => world.binding),
  deleteGroup: byId((world) => world.group),
  revokeSession: byId((world) => world.session),
  deleteUser: byId((world) => world.user),
  logout: bare(),
};

/** An account of an alarm panel; panel keeps it, in a database of its own. */
export async function addPanelAccount(target: RestTarget, token: string, site: string): Promise<string> {
  const account = crypto.randomUUID().slice(0, 8).toUpperCase();
  const made = await call(target, 'createPanelAccount', {
    token,
    body: { account, name: 'Panel', site_id: site },
  });
  return made.id;
}

async function buildPlaces(target: RestTarget, token: string) {
  const make = { token };
  const site = (await call(target, 'listSites', make)).items[0]?.id ?? '';
  const area = (await call(target, 'createArea', { ...make, body: { site_id: site, name: 'Dock' } })).id;
  const floor = await call(target, 'createFloor', {
    ...make,
    body: { site_id: site, name: 'Ground', level: 0 },
  });
  await call(target, 'putFloorPlan', { ...make, params: { id: floor.id }, ...picture });
  const controller = await call(target, 'createDevice', {
    ...make,
    body: { area_id: area, kind: 'controller', name: 'Dock controller' },
  });
  const door = await call(target, 'createDevice', {
    ...make,
    body: { area_id: area, kind: 'door', name: 'Dock door', parent_id: controller.id },
  });
  return { site, area, floor, controller, door };
}

/** Makes one of everything, as the admin would. `command` is left for the caller: it needs a device that answers. */
export async function buildWorld(
  target: RestTarget,
  token: string,
  org: string,
): Promise<Omit<World, 'command' | 'session' | 'panelAccount'>> {
  const make = { token };
  const { site, area, floor, controller, door } = await buildPlaces(target, token);
  const user = await call(target, 'createUser', {
    ...make,
    body: { name: 'Target', email: 'target@example.org', password: goodPassword },
  });
  const group = await call(target, 'createGroup', { ...make, body: { name: 'Night shift' } });
  const binding = await call(target, 'createRoleBinding', {
    ...make,
    body: { subject: { kind: 'user', id: user.id }, role: 'guard', scope: { kind: 'org', id: org } },
  });
  const key = await call(target, 'createApiKey', {
    ...make,
    body: { name: 'Key', permissions: ['event.read'], scope: { kind: 'org', id: org } },
  });
  const rule = await call(target, 'createRule', { ...make, body: { ...ruleBody, site_id: site } as never });
  const incident = await call(target, 'createIncident', {
    ...make,
    body: { title: 'Forced', severity: 'high', area_id: area, device_id: door.id },
  });
  const attachment = await call(target, 'attachToIncident', {
    ...make,
    params: { id: incident.id },
    ...picture,
  });
  const procedure = await call(target, 'createProcedure', { ...make, body: procedureBody });
  const escalation = await call(target, 'createEscalation', { ...make, body: escalationBody as never });
  const webhook = await call(target, 'createWebhook', {
    ...make,
    body: { name: 'Hook', url: 'https://hooks.invalid/x' },
  });
  const appended = await call(target, 'appendEvents', {
    ...make,
    body: [testEvent(door.id), { ...testEvent(door.id), type: 'no.such_type' }] as never,
  });
  const deadLetters = await call(target, 'listDeadLetters', make);
  return {
    org,
    site,
    area,
    floor: floor.id,
    door: door.id,
    controller: controller.id,
    user: user.id,
    group: group.id,
    binding: binding.id,
    key: key.id,
    rule: rule.id,
    incident: incident.id,
    attachment: attachment.id,
    procedure: procedure.id,
    escalation: escalation.id,
    webhook: webhook.id,
    deadLetter: deadLetters.items[0]?.id ?? '',
    event: (appended.results[0] as { seq?: number } | undefined)?.seq ?? 0,
  };
}
