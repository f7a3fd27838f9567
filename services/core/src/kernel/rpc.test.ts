import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { quietLog } from '../testing/memory-box.ts';
import { RpcClient, serveRpc } from './rpc.ts';

const actor = { kind: 'system' as const, id: 'system', name: 'x', orgId: 'o', grants: [], address: '' };

describe('RpcClient', () => {
  it('waits for no answer to what could not be handed over, however often that happens', async () => {
    const { port1, port2 } = new MessageChannel();
    serveRpc(port1, quietLog, (call) => call.input);
    const client = new RpcClient(port2);
    const call = (input: unknown) => client.call({ name: 'echo', actor, traceId: 't', input });
    for (let n = 0; n < 20_001; n++) await expect(call(() => 1)).rejects.toThrow('could not be cloned');
    expect(await call('still there')).toBe('still there');
    port1.close();
  });
});
