import { expect, it } from 'vitest';
import { openNetwork } from './network-namespace.ts';
import { runCommand } from './run-command.ts';

it('gives a network with a real address that nobody else sees', async () => {
  const network = await openNetwork();
  const inside = await network.run('ip', ['-br', '-4', 'addr']);
  expect(inside).toMatch(/^v0@v1 .* 10\.99\.0\.1\/24/m);
  expect(inside).not.toMatch(/eth0/);
  await network.remove();
  expect(await runCommand('ip', ['netns', 'list'])).not.toContain(network.name);
});

it('is joined to ours by a wire when asked to, two of them side by side', async () => {
  await using first = await openNetwork({ hostLink: true });
  await using second = await openNetwork({ hostLink: true });
  for (const { run, link } of [first, second]) {
    expect(await run('ip', ['-4', 'addr', 'show', 'host'])).toContain(link!.inside);
    expect(await runCommand('ip', ['route', 'get', link!.inside])).toContain(`src ${link!.outside}`);
  }
  expect(first.link).not.toEqual(second.link);
});
