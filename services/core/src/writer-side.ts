/** Puts the writer thread together: use cases, broker, ingest, rules, timers, housekeeping. */
import type { MessagePort } from 'node:worker_threads';
import { AppError, type Clock, type Logger, type Random, type Sqlite } from '@siphera/runtime/base';
import type { Config } from './config.ts';
import { Listening } from './events/listening.ts';
import { MqttLink, type MqttLinkOptions } from './events/adapters/mqtt-link.ts';
import { Ingest } from './events/ingest.ts';
import { MqttIngest } from './events/mqtt-ingest.ts';
import { Housekeeping } from './events/housekeeping.ts';
import { runOnce } from './kernel/idempotency.ts';
import type { WriterNotice } from './kernel/messages.ts';
import { serveRpc, type CaseCall } from './kernel/rpc.ts';
import { soon } from './kernel/soon.ts';
import { TimerLoop } from './kernel/timers.ts';
import type { Tx, WriteCase } from './kernel/transaction.ts';
import { Writer } from './kernel/writer.ts';
import { escalate } from './notify/escalation.ts';
import { DeviceCa } from './registry/adapters/device-ca.ts';
import { applyAgentState } from './registry/agent-state.ts';
import { expireCommand, finishCommand, publishWaitingCommands } from './registry/commands.ts';
import { revokedSerials } from './registry/enrolment-writes.ts';
import { tellIncident } from './registry/tell-incident.ts';
import { publishAllTwins } from './registry/twin.ts';
import { RegistryIndex } from './registry/store/registry-index.ts';
import { createAct } from './rules/act.ts';
import { addNewReadyRules } from './rules/ready-rule-writes.ts';
import { RuleRuntime } from './rules/rule-runtime.ts';
import { createWriteCases } from './write-cases.ts';
import type { WriterDeps } from './writer-deps.ts';

export type WriterSide = {
  serve(port: MessagePort): void;
  onNotice(send: (notice: WriterNotice) => void): void;
  start(): Promise<void>;
  stop(): Promise<void>;
};

type Options = { config: Config; db: Sqlite; log: Logger; clock: Clock; random: Random };

const figuresEveryMs = 1_000;
/** Later than a lone event's command is on its way; followers of the feed do not see it. */
const noticeAfterMs = 2;
const topics = ['event', 'telemetry', 'state', 'result'].map((leaf) => `siphera/v1/+/+/${leaf}`);

export async function createWriterSide({ config, db, log, clock, random }: Options): Promise<WriterSide> {
  const index = new RegistryIndex(db);
  const listening = new Listening(db, clock);
  const rules = new RuleRuntime({ db, index, log, listening });
  let notify: (notice: WriterNotice) => void = () => undefined;
  const ca = new DeviceCa(config.CA_DIR, random);
  const writeCrl = (): Promise<void> => ca.writeRevocationList(revokedSerials(db, clock.now()), clock.now());
  const deps: WriterDeps = {
    config,
    db,
    clock,
    random,
    log,
    index,
    rules,
    crlChanged: () =>
      void writeCrl().catch((error: unknown) => log.error('revocation_list_failed', { error })),
    publish: (topic, payload, { retain }) => link.publish(topic, payload, retain),
  };
  const ingest = new Ingest(deps);
  deps.ingest = ingest;
  rules.actWith(createAct(deps));
  const writer = new Writer({
    db,
    clock,
    random,
    log,
    onCommit: soon(noticeAfterMs, () => notify({ kind: 'committed' })),
    onRollback: () => {
      index.clear();
      mqttIngest.dropCaches();
    },
  });
  const mqttIngest = new MqttIngest({
    deps,
    writer,
    ingest,
    log,
    onState: (tx, agentId, state, how) => applyAgentState(tx, deps, ingest, agentId, state, how),
    onResult: (tx, agentId, result) => {
      const end = finishCommand(tx, deps, agentId, result);
      if ('refused' in end) return end.refused;
      tellIncident(tx, end);
      return undefined;
    },
  });
  const link = openBroker(config, log, {
    onConnect: () => {
      mqttIngest.connected();
      publishAllTwins(db, deps);
      publishWaitingCommands(db, deps, clock.now());
    },
    onMessage: (message) => mqttIngest.take(message),
  });
  const timers = new TimerLoop({
    db,
    writer,
    clock,
    log,
    handlers: {
      rules: (tx, timer) => rules.onTimer(tx, timer),
      commands: (tx, timer) => tellIncident(tx, expireCommand(tx, timer)),
      escalation: (tx, timer) => escalate(tx, timer),
    },
  });
  const housekeeping = new Housekeeping({
    writer,
    ingest,
    log,
    tick: (tx) => listening.tick(tx, link.connected()),
  });
  const cases: Readonly<Record<string, WriteCase<never, unknown>>> = createWriteCases(deps);
  const figures = figureSender({ writer, ingest, mqttIngest, link, send: (notice) => notify(notice) });
  return {
    serve: (port) => serveRpc(port, log, (call) => writer.submit((tx) => runCase(cases, tx, call))),
    onNotice: (send) => {
      notify = send;
    },
    start: async () => {
      // Written at each change; at a start only where it might be missing or older than the database.
      if (revokedSerials(db, clock.now()).length > 0 || !ca.hasRevocationList()) await writeCrl();
      const rulesAdded = await writer.submit((tx) => addNewReadyRules(tx, deps));
      if (rulesAdded > 0) log.info('ready_rules_added', { rules: rulesAdded });
      link.start();
      timers.start();
      housekeeping.start();
    },
    stop: async () => {
      clearInterval(figures);
      timers.stop();
      housekeeping.stop();
      await link.stop();
      writer.close();
    },
  };
}

function openBroker(
  config: Config,
  log: Logger,
  heard: Pick<MqttLinkOptions, 'onConnect' | 'onMessage'>,
): MqttLink {
  return new MqttLink({
    url: config.MQTT_URL,
    certFile: config.MQTT_CERT_FILE,
    keyFile: config.MQTT_KEY_FILE,
    caFile: config.MQTT_CA_FILE,
    topics,
    log,
    ...heard,
  });
}

function runCase(
  cases: Readonly<Record<string, WriteCase<never, unknown>>>,
  tx: Tx,
  call: CaseCall,
): unknown {
  const found = Object.hasOwn(cases, call.name) ? cases[call.name] : undefined;
  if (!found) throw new AppError('internal', `There is no use case ${call.name}.`);
  const context = { ...tx, actor: call.actor, traceId: call.traceId };
  const run = (): unknown => found(context, call.input as never);
  return call.idempotencyKey === undefined
    ? run()
    : runOnce(context, call.name, call.idempotencyKey, call.input, run);
}

type FigureParts = {
  writer: Writer;
  ingest: Ingest;
  mqttIngest: MqttIngest;
  link: MqttLink;
  send: (notice: WriterNotice) => void;
};

function figureSender({ writer, ingest, mqttIngest, link, send }: FigureParts): NodeJS.Timeout {
  let before = 0;
  return setInterval(() => {
    const { committed, duplicates, deadLetters } = ingest.counts;
    send({
      kind: 'figures',
      ingest: {
        per_second: (committed - before) / (figuresEveryMs / 1_000),
        committed,
        duplicates,
        dead_letters: deadLetters,
        queue: writer.queued() + mqttIngest.waiting(),
      },
      failure: writer.failure(),
      broker: link.connected() ? 'connected' : 'disconnected',
    });
    before = committed;
  }, figuresEveryMs);
}
