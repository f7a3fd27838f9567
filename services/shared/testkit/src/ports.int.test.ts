import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { freePort, freePorts } from './ports.ts';

/** What another process gets that begins to look where this one did. */
const elsewhere = (length: number): number[] => {
  const script = `
    Object.defineProperty(process, 'pid', { value: ${process.pid} });
    const { freePort } = await import(${JSON.stringify(new URL('ports.ts', import.meta.url).href)});
    const ports = [];
    for (let n = 0; n < ${length}; n += 1) ports.push(await freePort());
    console.log(JSON.stringify(ports));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return JSON.parse(output) as number[];
};

it('a port is no other process’s as well, though nothing listens on it yet', async () => {
  const own = [await freePort(), await freePort(), ...(await freePorts(3))];
  expect(own[4]).toBe(own[2]! + 2);
  expect(new Set([...own, ...elsewhere(5)]).size).toBe(10);
  // Those of the other have gone with it.
  expect(elsewhere(5)).toEqual(elsewhere(5));
});
