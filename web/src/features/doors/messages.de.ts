/** Texte der Türbefehle. */
import type { messages as english } from './messages.en.ts';

export const messages: typeof english = {
  doors: {
    state: 'Die Tür meldet',
    for: 'Wie lange',
    seconds: '{n} s',
    unlock: 'Entriegeln',
    lock: 'Verriegeln',
    unlockTitle: '{name} entriegeln?',
    unlockText: 'Die Tür steht {n} Sekunden lang jedem offen. Das wird unter Ihrem Namen festgehalten.',
    lockTitle: '{name} jetzt verriegeln?',
    lockText:
      'Das Schloss schließt jetzt, ein laufendes Entriegeln endet. Das wird unter Ihrem Namen festgehalten.',
    command: {
      pending: 'Wartet auf das Senden …',
      sent: 'Gesendet. Wartet auf die Bestätigung der Tür …',
      confirmed: 'Von der Tür bestätigt',
      failed: 'Die Tür hat abgelehnt',
      expired: 'Die Tür hat nicht rechtzeitig geantwortet',
    },
  },
};
