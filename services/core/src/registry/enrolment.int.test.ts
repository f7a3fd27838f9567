/** Enrolment, revocation and commands with the real broker: what a certificate opens, and that a revoked one opens nothing. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deviceTopic, type AgentCommand, type AgentCommandResult } from '@siphera/contract';
import {
  call,
  callRaw,
  deviceEvent,
  runCommand,
  setupAdmin,
  startBox,
  waitFor,
  type Box,
  type CallOutput,
  type CertificateFiles,
  type SetUp,
} from '@siphera/testkit';
import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setUp } from '../testing/people.ts';
import { startTestCore } from '../testing/test-core.ts';

let box: Box;
let admin: SetUp;
let areaId = '';

beforeAll(async () => {
  box = await startBox({ services: [] });
  admin = await setupAdmin(box);
  areaId = (await call(box, 'listAreas', { token: admin.token, query: {} })).items[0]?.id ?? '';
});
afterAll(() => box.stop());

type Device = CallOutput<'createDevice'>;
const addDevice = (name: string, parent?: Device): Promise<Device> =>
  call(box, 'createDevice', {
    token: admin.token,
    body: { area_id: areaId, kind: parent ? 'door' : 'controller', name, parent_id: parent?.id ?? null },
  });
const newCode = async ({ id }: Device): Promise<string> =>
  (await call(box, 'createEnrolmentCode', { token: admin.token, params: { id } })).code;

let requests = 0;
/** A key that stays with the agent, and its request, as a controller makes them. */
async function newRequest(): Promise<{ csr: string; keyFile: string }> {
  const base = join(box.dir, `agent-${++requests}`);
  const keyFile = `${base}.key`;
  await runCommand('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', keyFile]);
  // Whatever it asks to be called, the certificate says who it is.
  const csr = await runCommand('openssl', ['req', '-new', '-key', keyFile, '-subj', '/CN=siphera-core']);
  return { csr, keyFile };
}
const tryEnrol = (code: string, csr: string): ReturnType<typeof callRaw> =>
  callRaw(box, 'enrol', { body: { code, csr_pem: csr } });

async function enrol(device: Device): Promise<CertificateFiles & CallOutput<'enrol'>> {
  const { csr, keyFile } = await newRequest();
  const enrolled = await call(box, 'enrol', { body: { code: await newCode(device), csr_pem: csr } });
  const files = { certFile: `${keyFile}.crt`, keyFile, caFile: `${keyFile}.ca` };
  writeFileSync(files.certFile, enrolled.certificate_pem);
  writeFileSync(files.caFile, enrolled.ca_pem);
  return { ...enrolled, ...files };
}
const connect = (files: CertificateFiles, id: string): Promise<MqttClient> =>
  box.mosquitto.connect(files, { clientId: id, reconnectPeriod: 0, connectTimeout: 5_000 });

const crlFile = (): string => join(box.core.caDir, 'crl.pem');
const fingerprint = (): string => (existsSync(crlFile()) ? `${statSync(crlFile()).ino}` : 'none');
/** Does it, waits for the list it leads to, and lets the broker read that, as the broker's own watcher does. */
async function withNewList<T>(act: () => Promise<T>): Promise<T> {
  const before = fingerprint();
  const result = await act();
  await waitFor('the list of revoked certificates', () => fingerprint() !== before);
  expect(readFileSync(crlFile(), 'utf8')).toContain('-----BEGIN X509 CRL-----');
  await runCommand('openssl', ['crl', '-in', crlFile(), '-noout', '-CAfile', box.mosquitto.ca.caFile]);
  await box.mosquitto.restart();
  return result;
}

describe('enrolment', () => {
  it('swaps a code for a certificate once, and the certificate works as the device alone', async () => {
    const device = await addDevice('Controller A');
    const door = await addDevice('Door A', device);
    const code = await newCode(device);
    const { csr, keyFile } = await newRequest();
    const answer = await tryEnrol(code.toLowerCase().replace('-', ''), csr);
    expect(answer.status).toBe(201);
    const enrolled = JSON.parse(answer.body.toString()) as CallOutput<'enrol'>;
    expect(enrolled).toMatchObject({
      device_id: device.id,
      org_id: admin.me.org.id,
      mqtt_url: box.mosquitto.url,
      children: [{ id: door.id, kind: 'door', name: 'Door A' }],
    });
    const again = await tryEnrol(code, csr);
    expect([again.status, JSON.parse(again.body.toString())]).toMatchObject([
      403,
      { code: 'enrolment_code_wrong' },
    ]);
    const files = { certFile: `${keyFile}.crt`, keyFile, caFile: `${keyFile}.ca` };
    writeFileSync(files.certFile, enrolled.certificate_pem);
    writeFileSync(files.caFile, enrolled.ca_pem);
    const subject = await runCommand('openssl', ['x509', '-in', files.certFile, '-noout', '-subject']);
    expect(subject).toContain(device.id);
    expect(subject).not.toContain('siphera-core');
    const agent = await connect(files, device.id);
    const event = { id: 'first', type: 'door.opened', subject: door.id };
    await deviceEvent(agent, { org: admin.me.org.id, device: device.id, sequence: 1, event });
    await agent.endAsync(true);
    const read = await call(box, 'getDevice', { token: admin.token, params: { id: device.id } });
    expect(read.enrolled).toBe(true);
  });

  it('takes no wrong code, none that a newer one replaced, and keeps the code of a bad request', async () => {
    const device = await addDevice('Controller B');
    const old = await newCode(device);
    const code = await newCode(device);
    const { csr } = await newRequest();
    for (const wrong of ['22222-22222', old]) expect((await tryEnrol(wrong, csr)).status).toBe(403);
    const lines = csr.trim().split('\n');
    const middle = lines[3] ?? '';
    const tampered = csr.replace(middle, middle.slice(8) + middle.slice(0, 8));
    for (const bad of [
      'nonsense',
      '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
      tampered,
    ]) {
      const answer = await tryEnrol(code, bad);
      expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([
        400,
        { code: 'validation_failed' },
      ]);
    }
    expect((await tryEnrol(code, csr)).status).toBe(201);
  });

  it('takes no code that is a day old', async () => {
    await using core = await startTestCore();
    const { token } = await setUp(core);
    const [area] = (await call(core, 'listAreas', { token, query: {} })).items;
    const body = { area_id: area?.id ?? '', kind: 'controller' as const, name: 'Controller' };
    const { id } = await call(core, 'createDevice', { token, body });
    const { code } = await call(core, 'createEnrolmentCode', { token, params: { id } });
    const { csr } = await newRequest();
    core.clock.advance(24 * 3_600_000);
    const late = await callRaw(core, 'enrol', { body: { code, csr_pem: csr } });
    expect(late.status).toBe(403);
    // Half a second earlier it was good.
    core.clock.set(core.clock.now() - 500);
    const inTime = await callRaw(core, 'enrol', { body: { code, csr_pem: csr } });
    expect(inTime.status).toBe(201);
  });

  it('lets two who race for one code have one certificate', async () => {
    const device = await addDevice('Controller C');
    const code = await newCode(device);
    const csrs = [await newRequest(), await newRequest()];
    const answers = await Promise.all(csrs.map(({ csr }) => tryEnrol(code, csr)));
    expect(answers.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([201, 403]);
  });
});

describe('a certificate that was revoked', () => {
  it('opens nothing once the device enrolled anew, when it is revoked by hand, or when the device is deleted', async () => {
    const device = await addDevice('Controller D');
    const first = await enrol(device);
    const good = await connect(first, `${device.id}-first`);
    await good.endAsync(true);
    const second = await withNewList(() => enrol(device));
    await expect(connect(first, device.id)).rejects.toThrow();
    await (await connect(second, device.id)).endAsync(true);
    await withNewList(() =>
      call(box, 'revokeDeviceCertificate', { token: admin.token, params: { id: device.id } }),
    );
    await expect(connect(second, device.id)).rejects.toThrow();
    const read = await call(box, 'getDevice', { token: admin.token, params: { id: device.id } });
    expect(read.enrolled).toBe(false);
    const third = await enrol(device);
    await (await connect(third, device.id)).endAsync(true);
    await withNewList(() => call(box, 'deleteDevice', { token: admin.token, params: { id: device.id } }));
    await expect(connect(third, device.id)).rejects.toThrow();
    expect((await tryEnrol(await newCode(await addDevice('E')), 'x')).status).toBe(400);
  });
});

describe('commands', () => {
  const door = { own: '', foreign: '' };
  const agents: MqttClient[] = [];
  const heard: AgentCommand[] = [];
  const ids = { own: '', foreign: '' };

  beforeAll(async () => {
    for (const name of ['own', 'foreign'] as const) {
      const controller = await addDevice(`Controller ${name}`);
      door[name] = (await addDevice(`Door ${name}`, controller)).id;
      ids[name] = controller.id;
      const agent = await connect(await enrol(controller), controller.id);
      await agent.subscribeAsync(deviceTopic(admin.me.org.id, controller.id, 'command'), { qos: 1 });
      if (name === 'own')
        agent.on('message', (_topic, payload) => heard.push(JSON.parse(payload.toString()) as AgentCommand));
      agents.push(agent);
    }
  });
  afterAll(() => Promise.all(agents.map((agent) => agent.endAsync(true))));

  const unlock = (incident?: string): Promise<CallOutput<'unlockDoor'>> =>
    call(box, 'unlockDoor', {
      token: admin.token,
      params: { id: door.own },
      body: { seconds: 5, reason: 'Visitor', ...(incident === undefined ? {} : { incident_id: incident }) },
    });
  const heardCommand = (id: string): Promise<AgentCommand> =>
    waitFor('the command at the agent', () => heard.find((one) => one.id === id));
  const read = (id: string): Promise<CallOutput<'getCommand'>> =>
    call(box, 'getCommand', { token: admin.token, params: { id } });
  const answer = (name: 'own' | 'foreign', result: Omit<AgentCommandResult, 'at'>): Promise<unknown> => {
    const agent = agents[name === 'own' ? 0 : 1] as MqttClient;
    const body = { ...result, at: new Date().toISOString() };
    return agent.publishAsync(deviceTopic(admin.me.org.id, ids[name], 'result'), JSON.stringify(body), {
      qos: 1,
    });
  };
  const deadLetters = async (): Promise<string[]> =>
    (await call(box, 'listDeadLetters', { token: admin.token, query: {} })).items.map((one) => one.reason);

  it('reach the controller of the door, and count as done when it says so', async () => {
    const command = await unlock();
    const got = await heardCommand(command.id);
    expect(got).toMatchObject({ name: 'unlock', target: door.own, args: { seconds: 5 } });
    expect(Date.parse(got.expires_at)).toBeGreaterThan(Date.parse(command.created_at));
    expect((await read(command.id)).state).not.toBe('confirmed');
    await answer('own', { id: command.id, ok: true, state: 'unlocked' });
    await waitFor('the confirmation', async () => (await read(command.id)).state === 'confirmed');
    const device = await call(box, 'getDevice', { token: admin.token, params: { id: door.own } });
    expect(device.state).toBe('unlocked');
  });

  it('are not answered by another controller, nor twice', async () => {
    const command = await unlock();
    await heardCommand(command.id);
    await answer('foreign', { id: command.id, ok: true, state: 'unlocked' });
    await waitFor('the refusal', async () =>
      (await deadLetters()).some((one) => /not one of this agent/.test(one)),
    );
    expect((await read(command.id)).state).not.toBe('confirmed');
    await answer('own', { id: command.id, ok: false, error: 'The bolt is stuck' });
    const failed = await waitFor('the failure', async () => {
      const now = await read(command.id);
      return now.state === 'failed' ? now : undefined;
    });
    expect(failed.error).toBe('The bolt is stuck');
    await answer('own', { id: command.id, ok: true });
    await waitFor('the second refusal', async () =>
      (await deadLetters()).some((one) => /failed already/.test(one)),
    );
    expect((await read(command.id)).state).toBe('failed');
  });

  it('that nobody answers expire, and the incident they came from says so', async () => {
    const body = { title: 'Visitor at the door', severity: 'low' as const, area_id: areaId };
    const incident = await call(box, 'createIncident', { token: admin.token, body });
    const command = await unlock(incident.id);
    const expired = await waitFor('the end', async () => {
      const now = await read(command.id);
      return now.state === 'expired' ? now : undefined;
    });
    expect(expired.error).toMatch(/did not answer in time/);
    const params = { id: incident.id };
    const timeline = await call(box, 'listTimeline', { token: admin.token, params, query: {} });
    const told = timeline.items.filter((one) => one.kind === 'command').map((one) => one.text);
    expect(told.some((text) => text.startsWith('unlock was not answered'))).toBe(true);
  });

  it('are refused for a door that hangs on nothing enrolled, and for what is no door', async () => {
    const loose = await addDevice('Loose door', await addDevice('Not enrolled'));
    const refused = await callRaw(box, 'unlockDoor', {
      token: admin.token,
      params: { id: loose.id },
      body: { seconds: 5 },
    });
    expect([refused.status, JSON.parse(refused.body.toString())]).toMatchObject([
      503,
      { code: 'device_unavailable', hint: expect.stringContaining('Enrol') as string },
    ]);
    const controller = await callRaw(box, 'unlockDoor', {
      token: admin.token,
      params: { id: ids.own },
      body: { seconds: 5 },
    });
    expect(controller.status).toBe(422);
  });

  it('are given by rules too', async () => {
    await call(box, 'createRule', {
      token: admin.token,
      body: {
        name: 'Unlock on smoke',
        trigger: { kind: 'event', types: ['smoke.alarm'] },
        actions: [
          { kind: 'incident', title: 'Escape route', severity: 'high' },
          { kind: 'command', target: door.own, name: 'unlock', args: { seconds: 60 } },
        ],
      },
    });
    const before = heard.length;
    const smoke = { specversion: '1.0', id: crypto.randomUUID(), source: 'test', type: 'smoke.alarm' };
    await call(box, 'appendEvents', { token: admin.token, body: [{ ...smoke, subject: ids.own }] });
    const got = await waitFor('the command', () => heard[before]);
    expect(got).toMatchObject({ name: 'unlock', target: door.own, args: { seconds: 60 } });
    await answer('own', { id: got.id, ok: true, state: 'unlocked' });
    const command = await waitFor('the confirmation', async () => {
      const now = await read(got.id);
      return now.state === 'confirmed' ? now : undefined;
    });
    expect(command.requested_by).toBe('Unlock on smoke');
  });

  // Last: the other agents of these tests do not come back to a broker that was away.
  it('given while the broker is away reach the controller when it is back', async () => {
    const controller = await addDevice('Controller that waits');
    const waiting = await addDevice('Door that waits', controller);
    const files = await enrol(controller);
    const options = { clientId: controller.id, clean: false, reconnectPeriod: 50 };
    const agent = await box.mosquitto.connect(files, options);
    agents.push(agent);
    const got: string[] = [];
    agent.on('message', (_topic, payload) => got.push((JSON.parse(payload.toString()) as AgentCommand).id));
    await agent.subscribeAsync(deviceTopic(admin.me.org.id, controller.id, 'command'), { qos: 1 });
    await box.mosquitto.stop();
    const params = { id: waiting.id };
    const command = await call(box, 'unlockDoor', { token: admin.token, params, body: { seconds: 5 } });
    await box.mosquitto.restart();
    await waitFor('the command at the agent', () => got.includes(command.id));
  });
});
