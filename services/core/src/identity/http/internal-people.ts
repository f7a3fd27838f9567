/** What the box's services ask of people: who there is, whether a password is right, to end a session. */
import { InternalCheckPassword, internalPaths, InternalRevokeSession } from '@siphera/contract';
import { newTraceId } from '@siphera/runtime';
import type { Express, Request, Response } from 'express';
import type { AppDeps } from '../../app-deps.ts';
import { systemActor } from '../../kernel/actor.ts';
import type { CallContext } from '../../kernel/box.ts';
import type { PasswordHasher } from '../adapters/password-hash.ts';

export function mountInternalPeople(http: Express, app: AppDeps, hasher: PasswordHasher): void {
  const { box } = app;
  const context = (address = ''): CallContext => ({
    actor: { ...systemActor(''), address },
    traceId: newTraceId(app.random),
  });
  http.get(internalPaths.people, async (_request: Request, response: Response) => {
    response.json(await box.read('listPeople', context(), {}));
  });
  http.post(internalPaths.checkPassword, async (request: Request, response: Response) => {
    response.json({ ok: await checkPassword(request.body as unknown) });
  });
  http.post(internalPaths.revokeSession, async (request: Request, response: Response) => {
    const { user_id, sid, reason } = InternalRevokeSession.parse(request.body);
    await box.write('revokeSessionOf', context(), { userId: user_id, sid, reason });
    response.status(204).end();
  });

  async function checkPassword(body: unknown): Promise<boolean> {
    const { user_id, password, address } = InternalCheckPassword.parse(body);
    const asked = { userId: user_id, address };
    const found = await box.write('beginServiceCheck', context(address), asked);
    const fits = await hasher.fits(found?.passwordHash, password);
    if (found && fits) {
      const held = { ...asked, verifiedHash: found.passwordHash };
      return (await box.write('endServiceCheck', context(address), held)).ok;
    }
    app.log.warn('password_check_failed', { address, known: found !== undefined });
    if (found) await box.write('noteFailedLogin', context(address), { userId: user_id });
    return false;
  }
}
