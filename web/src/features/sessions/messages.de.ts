/** Texte der Sitzungen und des eigenen Kontos. */
import type { messages as english } from './messages.en.ts';

export const messages: typeof english = {
  sessions: {
    title: 'Sitzungen',
    text: 'Angemeldete Geräte',
    caption: 'Gerätesitzungen',
    whose: 'Wessen',
    mine: 'Meine',
    column: {
      device: 'Gerät',
      address: 'Adresse',
      since: 'Angemeldet',
      used: 'Zuletzt benutzt',
      until: 'Endet',
    },
    current: 'Diese hier',
    none: 'Keine Sitzungen',
    revoke: 'Beenden',
    revokeTitle: 'Sitzung auf {name} beenden?',
    revokeText: 'Sie wird binnen einer Sekunde abgemeldet.',
    revokeCurrentText: 'Das ist die Sitzung, die Sie gerade benutzen: Sie werden abgemeldet.',
    revoked: 'Die Sitzung ist beendet',
    password: {
      title: 'Mein Passwort ändern',
      text: 'Beendet alle meine anderen Sitzungen.',
      current: 'Jetziges Passwort',
      next: 'Neues Passwort',
      hint: 'Mindestens 12 Zeichen.',
      change: 'Passwort ändern',
      changed: 'Das Passwort wurde geändert. Andere Sitzungen sind beendet.',
    },
  },
};
