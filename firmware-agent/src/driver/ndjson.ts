/**
 * The line protocol with an integrator's hardware process: one JSON object a line, each with exactly one key.
 *
 * In:  {"event":{type,device?,data?,time?,id?,ref?}}  {"state":{device?,online?,state?}}  {"result":{id,ok,state?,error?}}
 * Out: {"hello":{…}}  {"accepted":{ref?,id,sequence}}  {"refused":{ref?,code,reason}}  {"command":{…}}  {"twin":{…}}
 *
 * `accepted` comes after the event is on the disk: a driver that may not lose it keeps it until then.
 */
import type { Readable, Writable } from 'node:stream';
import { AgentCommandResult, eventBytesMax } from '@siphera/contract';
import { z } from 'zod';
import { AgentError } from '../domain/agent-error.ts';
import type { CommandOutcome, DriverPort } from '../domain/driver.ts';

/** One event and its frame. */
const lineBytesMax = eventBytesMax + 1_024;
/** Events of one driver that wait for the disk; beyond it reading pauses. */
const openEventsMax = 256;

const Ref = z.union([z.string().max(128), z.int()]).optional();
const Line = z.union([
  z.strictObject({
    event: z.strictObject({
      type: z.string().min(1).max(80),
      device: z.string().max(256).optional(),
      data: z.record(z.string(), z.unknown()).optional(),
      time: z.string().max(64).optional(),
      id: z.string().min(1).max(128).optional(),
      ref: Ref,
    }),
  }),
  z.strictObject({
    state: z.strictObject({
      device: z.string().max(256).optional(),
      online: z.boolean().optional(),
      state: z.string().max(40).optional(),
    }),
  }),
  z.strictObject({ result: AgentCommandResult.omit({ at: true }) }),
]);
type Line = z.infer<typeof Line>;

export type NdjsonSession = { send(message: Record<string, unknown>): void; readonly ended: Promise<void> };

/** Reads lines until the input ends. A line that is too long ends the session: its length is no longer known. */
export function startSession(options: {
  input: Readable;
  output: Writable;
  port: DriverPort;
  onResult: (id: string, outcome: CommandOutcome) => void;
}): NdjsonSession {
  const { input, output, port } = options;
  const send = (message: Record<string, unknown>): void => {
    if (output.writable) output.write(`${JSON.stringify(message)}\n`);
  };
  send({ hello: { device_id: port.deviceId, children: port.children } });
  const handle = (text: string): Promise<void> | undefined => {
    const line = parseLine(text);
    if (line instanceof AgentError) {
      send({ refused: { code: line.code, reason: line.message } });
      return undefined;
    }
    if ('state' in line) port.setState(line.state);
    if ('result' in line) options.onResult(line.result.id, line.result);
    return 'event' in line ? keep(port, line.event, send) : undefined;
  };
  return { send, ended: readLines(input, handle, send) };
}

async function keep(
  port: DriverPort,
  event: Extract<Line, { event: unknown }>['event'],
  send: (message: Record<string, unknown>) => void,
): Promise<void> {
  const { ref, ...report } = event;
  try {
    send({ accepted: { ref, ...(await port.emit(report)) } });
  } catch (error) {
    const code = error instanceof AgentError ? error.code : 'queue_failed';
    send({ refused: { ref, code, reason: error instanceof Error ? error.message : String(error) } });
  }
}

async function readLines(
  input: Readable,
  handle: (text: string) => Promise<void> | undefined,
  send: (message: Record<string, unknown>) => void,
): Promise<void> {
  let rest = Buffer.alloc(0);
  let open: Promise<void>[] = [];
  try {
    for await (const chunk of input) {
      rest = Buffer.concat([rest, chunk as Buffer]);
      for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
        const text = rest.subarray(0, end).toString('utf8').trim();
        rest = rest.subarray(end + 1);
        const work = text === '' ? undefined : handle(text);
        if (work) open.push(work);
        if (open.length < openEventsMax) continue;
        await Promise.all(open);
        open = [];
      }
      if (rest.length <= lineBytesMax) continue;
      send({ refused: { code: 'event_too_big', reason: `A line may have ${lineBytesMax} bytes` } });
      input.destroy();
      return;
    }
  } catch (error) {
    // The driver's end went away in the middle of a line: it connects again and starts a new session.
    send({ refused: { code: 'queue_closed', reason: String(error) } });
  } finally {
    await Promise.all(open);
  }
}

function parseLine(text: string): Line | AgentError {
  if (text.length > lineBytesMax)
    return new AgentError('event_too_big', `A line may have ${lineBytesMax} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    return new AgentError('event_invalid', 'The line is not JSON', cause);
  }
  const parsed = Line.safeParse(json);
  return parsed.success
    ? parsed.data
    : new AgentError('event_invalid', z.prettifyError(parsed.error).slice(0, 500));
}
