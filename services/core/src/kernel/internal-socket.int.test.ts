import { statSync } from 'node:fs';
import { join } from 'node:path';
import { internalPaths } from '@siphera/contract';
import { InternalClient } from '@siphera/runtime';
import { startBox, tempDir } from '@siphera/testkit';
import { expect, it } from 'vitest';

it('answers the internal API at its second door as at the first, to its user and group alone', async () => {
  await using dir = await tempDir('internal-socket');
  const path = join(dir.path, 'internal.sock');
  await using box = await startBox({
    services: [],
    env: { core: { CORE_INTERNAL_SOCKET: `unix:${path}` } },
  });
  expect(statSync(path).mode & 0o777).toBe(0o660);
  for (const url of [box.core.internalUrl, `unix:${path}`]) {
    const answer = await new InternalClient(url).call('GET', internalPaths.jwks);
    expect(answer).toMatchObject({ keys: [expect.anything()] });
  }
});
