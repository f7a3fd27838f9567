/** What services/camera may write: it removes cameras for somebody, and says how their commands went. */
import type { InternalCommandResult } from '@siphera/contract';
import { AppError, toRfc3339 } from '@siphera/runtime/base';
import type { z } from 'zod';
import type { WriteContext } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { commandDevice, finishCommand } from './commands.ts';
import { createDeviceWrites } from './device-writes.ts';
import { tellIncident } from './tell-incident.ts';

export const createCameraWrites = (deps: WriterDeps) => {
  const { deleteDevice } = createDeviceWrites(deps);
  return {
    /** `deleteDevice` authorises. What is no camera is not told apart from what is not there. */
    removeCamera: (context: WriteContext, input: { id: string }): void => {
      if (deps.index.device(input.id)?.kind !== 'camera')
        throw new AppError('not_found', 'There is no such camera.');
      deleteDevice(context, input);
    },

    /** Comes until it was answered, so a second time is no error. @returns why it was not taken, if so. */
    finishCameraCommand: (
      context: WriteContext,
      input: z.infer<typeof InternalCommandResult>,
    ): { refused?: string } => {
      const device = deps.index.device(commandDevice(context.db, input.id) ?? '');
      if (device?.kind !== 'camera') return { refused: 'the command is not one of a camera' };
      const end = finishCommand(context, deps, device.id, { ...input, at: toRfc3339(context.nowMs) });
      if ('refused' in end) return end;
      tellIncident(context, end);
      return {};
    },
  };
};
