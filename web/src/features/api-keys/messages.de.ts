/** Texte der API-Schlüssel. */
import type { messages as english } from './messages.en.ts';

export const messages: typeof english = {
  apiKeys: {
    title: 'API-Schlüssel',
    text: 'Für Programme, die Ereignisse senden, Vorfälle lesen oder Geräte steuern',
    caption: 'API-Schlüssel',
    add: 'Neuer Schlüssel',
    column: {
      name: 'Name',
      prefix: 'Beginnt mit',
      may: 'Darf',
      where: 'Wo',
      used: 'Zuletzt benutzt',
      expires: 'Läuft ab',
      by: 'Erstellt von',
    },
    never: 'nie',
    noEnd: 'kein Ende',
    expired: 'abgelaufen',
    none: 'Noch keine Schlüssel',
    noneText:
      'Ein Schlüssel trägt eigene Rechte und einen eigenen Bereich; geben Sie ihm nicht mehr, als das Programm braucht.',
    form: {
      title: 'Neuer API-Schlüssel',
      name: 'Name',
      nameHint: 'Für welches Programm er ist.',
      may: 'Er darf',
      nothing: 'Wählen Sie mindestens eines',
      preset: 'Ausgehen von',
      presets: { events: 'Ereignisse senden', read: 'Nur lesen', integration: 'Volle Anbindung' },
      where: 'Wo',
      expires: 'Läuft ab',
      ends: { d30: 'in 30 Tagen', d90: 'in 90 Tagen', d365: 'in einem Jahr', never: 'nie' },
      make: 'Schlüssel erzeugen',
    },
    secret: 'Der Schlüssel {name}',
    secretText: 'Senden Sie ihn als „Authorization: Bearer …“.',
    revoke: 'Widerrufen',
    revokeTitle: 'Schlüssel {name} widerrufen?',
    revokeText: 'Programme, die ihn benutzen, werden sofort abgewiesen.',
    revoked: '{name} wurde widerrufen',
    reference: 'API-Referenz',
  },
};
