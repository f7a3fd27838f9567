/** Texts of door commands. */
export const messages = {
  doors: {
    state: 'The door says',
    for: 'For how long',
    seconds: '{n} s',
    unlock: 'Unlock',
    lock: 'Lock',
    unlockTitle: 'Unlock {name}?',
    unlockText: 'The door opens to anyone for {n} seconds. This is recorded under your name.',
    lockTitle: 'Lock {name} now?',
    lockText: 'The lock closes now and a running unlock ends. This is recorded under your name.',
    command: {
      pending: 'Waiting to be sent…',
      sent: 'Sent. Waiting for the door to confirm…',
      confirmed: 'Confirmed by the door',
      failed: 'The door refused',
      expired: 'The door did not answer in time',
    },
  },
};
