/** Texts of sessions and of one's own account. */
export const messages = {
  sessions: {
    title: 'Sessions',
    text: 'Devices that are signed in',
    caption: 'Device sessions',
    whose: 'Whose',
    mine: 'Mine',
    column: { device: 'Device', address: 'Address', since: 'Signed in', used: 'Last used', until: 'Ends' },
    current: 'This one',
    none: 'No sessions',
    revoke: 'End',
    revokeTitle: 'End the session on {name}?',
    revokeText: 'It is signed out within a second.',
    revokeCurrentText: 'This is the session you use now: you will be signed out.',
    revoked: 'The session has ended',
    password: {
      title: 'Change my password',
      text: 'Ends all my other sessions.',
      current: 'Present password',
      next: 'New password',
      hint: 'At least 12 characters.',
      change: 'Change password',
      changed: 'The password was changed. Other sessions have ended.',
    },
  },
};
