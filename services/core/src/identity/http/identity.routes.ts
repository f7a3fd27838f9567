/** REST of identity: users, groups, role bindings, API keys, sessions. Signing in is in sign-in.ts. */
import { AppError, fromRfc3339, type Handlers } from '@siphera/runtime';
import { contextOf, type AppDeps } from '../../app-deps.ts';
import type { identityRoutes } from '../../http-routes.ts';
import { noteLook } from '../../audit/http/note-look.ts';
import { makeApiKey } from '../domain/api-key.ts';
import type { Authenticator } from './authenticator.ts';
import { requireGoodPassword, signInHandlers } from './sign-in.ts';

export const identityHandlers = (app: AppDeps, authenticator: Authenticator): Handlers<identityRoutes> => ({
  ...signInHandlers(app, authenticator),
  getJwks: () => Promise.resolve({ keys: authenticator.jwks().keys.map((key) => ({ ...key })) }),
  getMe: (call) => app.box.read('getMe', contextOf(call), {}),
  updateMe: (call) => app.box.write('updateMe', contextOf(call), call.body),
  listSessions: async (call) => {
    const sessions = await app.box.read('listSessions', contextOf(call), call.query);
    const { user_id } = call.query;
    if (user_id !== undefined && user_id !== call.caller.claims.sub)
      await noteLook(app, contextOf(call), 'sessions.viewed', `user:${user_id}`);
    return sessions;
  },
  revokeSession: (call) => app.box.write('revokeSession', contextOf(call), call.params),
  ...userHandlers(app, authenticator),

  listGroups: (call) => app.box.read('listGroups', contextOf(call), {}),
  createGroup: (call) => app.box.write('createGroup', contextOf(call), call.body),
  updateGroup: (call) => app.box.write('updateGroup', contextOf(call), { ...call.params, ...call.body }),
  deleteGroup: (call) => app.box.write('deleteGroup', contextOf(call), call.params),
  listRoleBindings: (call) => app.box.read('listRoleBindings', contextOf(call), {}),
  createRoleBinding: (call) => app.box.write('createRoleBinding', contextOf(call), call.body),
  deleteRoleBinding: (call) => app.box.write('deleteRoleBinding', contextOf(call), call.params),

  listApiKeys: async (call) => {
    const keys = await app.box.read('listApiKeys', contextOf(call), {});
    await noteLook(app, contextOf(call), 'api_keys.viewed', 'api_keys');
    return keys;
  },
  createApiKey: async (call) => {
    const { name, permissions, scope, expires_at } = call.body;
    const id = app.random.uuid();
    const { secret, prefix, secretSha256 } = makeApiKey(id, app.random.bytes(32));
    const expiresMs = expires_at === undefined ? undefined : fromRfc3339(expires_at);
    const input = { id, name, permissions, scope, secretSha256, prefix, expiresMs };
    const key = await app.box.write('createApiKey', contextOf(call), input);
    return { ...key, secret };
  },
  deleteApiKey: (call) => app.box.write('deleteApiKey', contextOf(call), call.params),
});

type UserNames = 'listUsers' | 'createUser' | 'getUser' | 'updateUser' | 'deleteUser';

function userHandlers(app: AppDeps, { hasher }: Authenticator): Pick<Handlers<identityRoutes>, UserNames> {
  return {
    listUsers: (call) => app.box.read('listUsers', contextOf(call), call.query),
    getUser: (call) => app.box.read('getUser', contextOf(call), call.params),
    createUser: async (call) => {
      const { password, ...fields } = call.body;
      requireHashRight(call.caller.claims.grants);
      requireGoodPassword(password, [fields.name, fields.email], 'password');
      const passwordHash = await hasher.hash(password);
      return app.box.write('createUser', contextOf(call), { ...fields, passwordHash });
    },
    updateUser: async (call) => {
      const { password, ...fields } = call.body;
      if (password === undefined)
        return app.box.write('updateUser', contextOf(call), { ...call.params, changes: fields });
      const known = await app.box.read('getUser', contextOf(call), call.params);
      requireGoodPassword(password, [known.name, known.email], 'password');
      const changes = { ...fields, passwordHash: await hasher.hash(password) };
      return app.box.write('updateUser', contextOf(call), { ...call.params, changes });
    },
    deleteUser: (call) => app.box.write('deleteUser', contextOf(call), call.params),
  };
}

/** The use case decides where; this only keeps the costly hash from those who may do it nowhere. */
function requireHashRight(grants: readonly { permissions: readonly string[] }[]): void {
  if (!grants.some((grant) => grant.permissions.includes('identity.manage')))
    throw new AppError('forbidden', 'This needs the permission identity.manage.');
}
