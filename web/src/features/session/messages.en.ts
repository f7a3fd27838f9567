/** Texts of sign-in. */
export const messages = {
  session: {
    title: 'Sign in',
    text: 'Console of this site box',
    email: 'E-mail address',
    password: 'Password',
    showPassword: 'Show password',
    hidePassword: 'Hide password',
    deviceName: 'Name of this device',
    deviceHint: 'Shown in the list of sessions, for example “Desk 1”.',
    signIn: 'Sign in',
    ended: {
      revoked: 'This session was ended from elsewhere.',
      expired: 'The session has ended. Sign in again.',
    },
    retryIn: 'Too many attempts. Try again in {n} s.',
    trustHint: 'Does your browser warn about this address?',
    trustLink: 'Make this device trust the box',
  },
};
