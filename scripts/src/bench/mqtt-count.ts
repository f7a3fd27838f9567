/** A plain subscriber that only counts: what the broker can hand over when nobody stores anything. A child process. */
import { readFileSync } from 'node:fs';
import mqtt from 'mqtt';

export type CountPlan = { url: string; caFile: string; certFile: string; keyFile: string; topic: string };

let count = 0;

async function run(plan: CountPlan): Promise<void> {
  const client = await mqtt.connectAsync(plan.url, {
    protocolVersion: 4,
    cert: readFileSync(plan.certFile),
    key: readFileSync(plan.keyFile),
    ca: readFileSync(plan.caFile),
  });
  client.on('message', () => {
    count += 1;
  });
  await client.subscribeAsync(plan.topic, { qos: 1 });
  process.send?.('ready');
}

process.on('message', (message: CountPlan | 'report') => {
  if (message === 'report') process.send?.(count, () => process.exit(0));
  else void run(message);
});
