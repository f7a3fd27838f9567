/** Which commands a rule may hold: those its writer may give, to devices that take them. */
import { eventTypes } from '@siphera/contract/base';
import type { RuleInput } from '@siphera/contract';
import { AppError } from '@siphera/runtime/base';
import { authorise, scopesOf } from '../kernel/access.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import {
  argsProblem,
  commandProblem,
  isCameraCommand,
  isDoorCommand,
} from '../registry/domain/device-commands.ts';
import type { WriterDeps } from '../writer-deps.ts';

type Command = Extract<RuleInput['actions'][number], { kind: 'command' }>;
type Kind = NonNullable<RuleInput['trigger']['scope']['device_kinds']>[number];

/** @throws AppError `unprocessable` for a command that could never be carried out, `forbidden` for one the writer may not give. */
export function checkCommands(
  context: WriteContext,
  deps: WriterDeps,
  siteId: string,
  definition: RuleInput,
): void {
  for (const action of definition.actions) {
    if (action.kind !== 'command') continue;
    if (action.target === 'trigger') checkTrigger(context, deps, siteId, definition, action);
    else checkFixed(context, deps, action.target, action);
  }
}

function checkFixed(context: WriteContext, deps: WriterDeps, deviceId: string, action: Command): void {
  const device = deps.index.device(deviceId);
  if (device?.orgId !== context.actor.orgId)
    throw new AppError('unprocessable', 'The device to command does not exist.');
  authorise(context.actor, 'device.command', device.scopes);
  const problem = commandProblem(device, action);
  if (problem !== undefined) throw new AppError('unprocessable', problem);
}

function checkTrigger(
  context: WriteContext,
  deps: WriterDeps,
  siteId: string,
  { trigger }: RuleInput,
  action: Command,
): void {
  // Whatever sets it off may be any device of the site.
  authorise(
    context.actor,
    'device.command',
    scopesOf(context.db, { kind: 'site', id: siteId })?.scopes ?? [],
  );
  const problem = argsProblem(action);
  if (problem !== undefined) throw new AppError('unprocessable', problem);
  const kind = neededKind(action);
  if (kind === undefined) return;
  const { device_ids = [], device_kinds = [] } = trigger.scope;
  const never = (why: string): AppError =>
    new AppError('unprocessable', `${action.name} is for a ${kind}, and ${why}.`, {
      hint: `Narrow the trigger to ${kind}s, or name the ${kind} to command.`,
    });
  if (device_kinds.length > 0 && !device_kinds.includes(kind))
    throw never('the trigger looks at none of that kind');
  if (device_ids.length > 0 && !device_ids.some((id) => deps.index.device(id)?.kind === kind))
    throw never('none of the devices of the trigger is one');
  if (!trigger.types.some((type) => comesFrom(type, kind)))
    throw never('none of these events comes from one');
}

const neededKind = ({ name }: Command): 'camera' | 'door' | undefined =>
  isCameraCommand(name) ? 'camera' : isDoorCommand(name) ? 'door' : undefined;

/** Families of events that no camera, or no door, sends. What is not listed may come from any device. */
const foreign: Readonly<Record<'camera' | 'door', readonly string[]>> = {
  camera: ['door.', 'access.', 'panel.', 'smoke.', 'glass_break.', 'system.'],
  door: ['camera.', 'panel.', 'system.'],
} satisfies Partial<Record<Kind, readonly string[]>>;

const comesFrom = (type: string, kind: 'camera' | 'door'): boolean =>
  !(type in eventTypes) || !foreign[kind].some((family) => type.startsWith(family));
