/** Texte der API-Referenz. */
import type { messages as english } from './messages.en.ts';

export const messages: typeof english = {
  developers: {
    title: 'API-Referenz',
    text: 'Die REST-API dieser Box, wie sie sich selbst beschreibt',
    search: 'Pfade und Wörter suchen',
    download: 'OpenAPI-3.1-Datei',
    none: 'Nichts passt zur Suche',
    auth: 'Senden Sie einen API-Schlüssel als „Authorization: Bearer …“. Fehler kommen als problem+json mit Code, Vorgang und Hinweis.',
    parameters: 'Parameter',
    body: 'Inhalt',
    answer: 'Antwort',
    noBody: 'Kein Inhalt',
    needs: 'Braucht {permission}',
    open: 'Für alle offen',
    signedIn: 'Für alle Angemeldeten',
    idempotent: 'Nimmt einen Idempotency-Key: Wiederholen ist sicher.',
    required: 'nötig',
    where: { path: 'im Pfad', query: 'in der Abfrage', header: 'Kopfzeile', cookie: 'Cookie' },
    groups: 'Gruppen',
    example: 'Beispiel',
  },
};
