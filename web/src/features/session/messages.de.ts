/** Texte der Anmeldung. */
import type { messages as english } from './messages.en.ts';

export const messages: typeof english = {
  session: {
    title: 'Anmelden',
    text: 'Konsole dieser Standort-Box',
    email: 'E-Mail-Adresse',
    password: 'Passwort',
    showPassword: 'Passwort zeigen',
    hidePassword: 'Passwort verbergen',
    deviceName: 'Name dieses Geräts',
    deviceHint: 'Erscheint in der Liste der Sitzungen, zum Beispiel „Platz 1“.',
    signIn: 'Anmelden',
    ended: {
      revoked: 'Diese Sitzung wurde von anderer Stelle beendet.',
      expired: 'Die Sitzung ist zu Ende. Bitte neu anmelden.',
    },
    retryIn: 'Zu viele Versuche. Erneut in {n} s.',
    trustHint: 'Warnt Ihr Browser vor dieser Adresse?',
    trustLink: 'Dieses Gerät der Box vertrauen lassen',
  },
};
