/**
 * `siphera self-test`: one test alarm each by MQTT (with a device certificate), DC-09 (a raw frame) and REST (with an API
 * key), each awaited at a console socket that connects through the front door. Core makes what the run needs and removes
 * it when it ends. Nothing here knows core from the inside: if these three arrive, a device's, a panel's and an
 * integrator's alarms arrive.
 */
import { internalPaths, InternalSelfTest } from '@siphera/contract';
import { AppError } from '@siphera/runtime';
import type { Command, CommandInput } from './command.ts';
import { callAsRoot } from './root-client.ts';
import { connectTestConsole, type SelfTestKit } from './self-test-console.ts';
import { sendByDc09, sendByMqtt, sendByRest, type TestAlarm } from './self-test-senders.ts';

/** A box that needs longer has a fault that the test should show. */
const arrivalMsMax = 15_000;

export const selfTest: Command = async ({ box, print }) => {
  const kit = InternalSelfTest.parse(await callAsRoot(box, internalPaths.selfTest));
  try {
    return await runAlarms({ box, kit, print });
  } finally {
    await callAsRoot(box, internalPaths.selfTestEnd, { run_id: kit.run_id });
  }
};

async function runAlarms(input: Pick<CommandInput, 'box' | 'print'> & { kit: SelfTestKit }): Promise<number> {
  const { box, kit, print } = input;
  await using console = await connectTestConsole(box, kit);
  const alarms: readonly { name: string; alarm: TestAlarm }[] = [
    { name: 'MQTT', alarm: sendByMqtt },
    { name: 'DC-09', alarm: sendByDc09 },
    { name: 'REST', alarm: sendByRest },
  ];
  let arrived = 0;
  for (const { name, alarm } of alarms) {
    try {
      const ms = await timeOne(console, () => alarm({ box, kit }));
      print(`✓ ${name.padEnd(5)} → console in ${ms.toFixed(0)} ms`);
      arrived += 1;
    } catch (error) {
      print(`✗ ${name.padEnd(5)} ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  print(`Self-test: ${arrived} of ${alarms.length} test alarms arrived.`);
  return arrived === alarms.length ? 0 : 1;
}

/** From just before the alarm's bytes leave us (connected and signed in) to the frame at the console. */
async function timeOne(
  console: Awaited<ReturnType<typeof connectTestConsole>>,
  start: () => ReturnType<TestAlarm>,
): Promise<number> {
  await using ready = await start();
  const seen = console.waitFor(ready.fits, arrivalMsMax);
  const begun = performance.now();
  const [entry] = await Promise.all([seen, ready.send()]);
  if (!entry) throw new AppError('unavailable', `did not arrive within ${arrivalMsMax / 1_000} s`);
  return entry.atMs - begun;
}
