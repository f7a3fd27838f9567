import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type BoxPlace, readBox } from './box.ts';
import { planCheck, soundCheck } from './doctor-phones.ts';

let dir: string;
let box: BoxPlace;
const nowMs = 1_800_000_000_000;
const levels = async (): Promise<string[]> => (await planCheck({ box, nowMs })).map(({ level }) => level);

function changed(name: string, secondsAgo: number): void {
  const path = join(box.dataDir, 'sip', 'plan', name);
  writeFileSync(path, '');
  utimesSync(path, nowMs / 1_000 - secondsAgo, nowMs / 1_000 - secondsAgo);
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'doctor-'));
  writeFileSync(join(dir, 'siphera.env'), `SIPHERA_DATA_DIR=${dir}\n`);
  box = readBox({ SIPHERA_ETC: dir });
  mkdirSync(join(dir, 'sip', 'plan'), { recursive: true });
});

afterEach(() => rmSync(dir, { recursive: true }));

it('is content when Kamailio took the plan that is there', async () => {
  changed('plan.sqlite', 100);
  changed('applied', 99);
  expect(await levels()).toEqual(['ok']);
});

it('warns of a plan that Kamailio did not take, now or ever', async () => {
  changed('plan.sqlite', 100);
  expect(await levels()).toEqual(['warning']);
  changed('applied', 200);
  expect(await levels()).toEqual(['warning']);
});

it('leaves time for a change, and says nothing where there are no phones', async () => {
  changed('plan.sqlite', 5);
  expect(await levels()).toEqual([]);
  box = { ...box, phones: undefined };
  expect(await levels()).toEqual([]);
});

it('warns of one relay for sound that is silent, and calls both broken', async () => {
  const of = async (a: boolean | undefined, b: boolean | undefined): Promise<string[]> => {
    const relays = { 'rtpengine-a': { up: a }, 'rtpengine-b': { up: b } };
    const one = { ...box, phones: { kamailio: { up: true }, relays } };
    return (await soundCheck({ box: one, nowMs })).map(({ level }) => level);
  };
  expect(await of(true, true)).toEqual(['ok']);
  expect(await of(true, false)).toEqual(['warning']);
  expect(await of(false, false)).toEqual(['broken']);
  expect(await of(undefined, undefined)).toEqual([]);
});
