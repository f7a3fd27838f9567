import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Box, startBox } from './box.ts';
import { call, RefusedCall } from './rest-client.ts';
import { admin, openConsole, type SetUp, setupAdmin } from './setup.ts';

let box: Box;
let first: SetUp;

beforeAll(async () => {
  box = await startBox({ frontDoor: true });
  first = await setupAdmin(box);
});
afterAll(() => box.stop());

describe('a box of the test kit', () => {
  it('brings a test alarm by REST through the front door to a console', async () => {
    const { token } = first;
    await using console = await openConsole(box, token);
    const event = { specversion: '1.0', id: 'kit-1', source: 'test-kit', type: 'system.test_alarm', data: { run_id: 'kit', channel: 'rest' } } as const; // prettier-ignore
    const { results } = await call(box, 'appendEvents', { token, body: event });
    expect(results).toEqual([expect.objectContaining({ id: 'kit-1', status: 'accepted' })]);
    const entry = await console.waitFor(
      'the test alarm',
      ({ kind, data }) => kind === 'event' && (data as { id?: string }).id === 'kit-1',
    );
    expect(entry.seq).toBe(results[0]?.seq);
  });

  it('says why a call was refused', async () => {
    const wrong = call(box, 'login', {
      body: { email: admin.email, password: 'not the one', device_name: 'Test' },
    });
    await expect(wrong).rejects.toSatisfy(
      (error) => error instanceof RefusedCall && error.code === 'bad_credentials',
    );
  });

  it('answers through panel with a token of core', async () => {
    expect(await call(box, 'listPanelAccounts', { token: first.token })).toEqual({ items: [] });
  });
});
