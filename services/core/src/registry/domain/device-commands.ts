/** Which commands a kind of device takes, and with what. Pure: asked when a command is given and when a rule is saved. */
import type { CommandName, DeviceKind } from '@siphera/contract';
import { z } from 'zod';

type Kind = z.infer<typeof DeviceKind>;

const doorCommands: readonly CommandName[] = ['unlock', 'lock'];
/** Carried out by services/camera; the camera needs no certificate of its own. */
const cameraArgs = {
  record: z.object({ seconds: z.int().min(1).max(3_600).default(60) }),
  snapshot: z.object({}),
  goto_preset: z.object({ preset: z.string().min(1).max(64) }),
} as const;
type CameraCommand = keyof typeof cameraArgs;

export const isCameraCommand = (name: CommandName): name is CameraCommand => Object.hasOwn(cameraArgs, name);

export const isDoorCommand = (name: CommandName): boolean => doorCommands.includes(name);

/** Why the device does not take the command, in words; undefined when it does. */
export function commandProblem(
  device: { kind: Kind; name: string },
  command: { name: CommandName; args: Record<string, unknown> },
): string | undefined {
  if (isDoorCommand(command.name) && device.kind !== 'door') return `"${device.name}" is not a door.`;
  if (!isCameraCommand(command.name))
    return device.kind === 'camera'
      ? `"${device.name}" is a camera: it takes record, snapshot and goto_preset.`
      : undefined;
  return device.kind === 'camera' ? argsProblem(command) : `"${device.name}" is not a camera.`;
}

/** What is wrong with the arguments, whichever device they are for. */
export function argsProblem({
  name,
  args,
}: {
  name: CommandName;
  args: Record<string, unknown>;
}): string | undefined {
  if (!isCameraCommand(name)) return undefined;
  const [problem] = cameraArgs[name].safeParse(args).error?.issues ?? [];
  return problem && `${name} does not take that: ${problem.path.join('.') || 'args'}: ${problem.message}.`;
}
