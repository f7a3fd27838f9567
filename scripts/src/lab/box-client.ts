/** The lab's view of a box: signed in as an admin, with a token that is renewed before it ends. */
import { call, type CallInput, type CallOutput, type RestTarget } from '@siphera/testkit';
import type { RouteName } from '@siphera/contract';

/** A provisioning run takes seconds; an access token lives five minutes, so one is asked for each run. */
export type BoxClient = {
  call<N extends RouteName>(operation: N, input?: Omit<CallInput<N>, 'token'>): Promise<CallOutput<N>>;
};

export type Credentials = { box: URL; ca: string; email: string; password: string };

/** Signs in; throws when the box refuses. */
export async function signIn(options: Credentials): Promise<BoxClient> {
  const target: RestTarget = { baseUrl: () => options.box.origin, ca: options.ca };
  const { email, password } = options;
  const { access_token: token } = await call(target, 'login', {
    body: { email, password, device_name: 'Lab' },
  });
  return {
    call: (operation, input) => call(target, operation, { ...input, token } as never),
  };
}
