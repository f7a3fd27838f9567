/** Texte der Exporte. */
import type { messages as english } from '#features/exports/messages.en.ts';

export const messages: typeof english = {
  exports: {
    title: 'Exporte',
    text: 'Aufzeichnungen als signierte ZIP-Dateien',
    none: 'Noch kein Export',
    noneText: 'Markieren Sie in der Wiedergabe einen Bereich und exportieren Sie ihn.',
    toPlayback: 'Zur Wiedergabe',
    make: 'Aufzeichnung exportieren',
    cameras: 'Kameras',
    name: 'Name',
    reason: 'Grund',
    how: 'Die Aufzeichnung wird kopiert, wie sie ist, mit einer Liste von Prüfsummen und der Signatur dieser Box.',
    column: {
      name: 'Export',
      range: 'Ab',
      state: 'Zustand',
      size: 'Größe',
      by: 'Von',
      expires: 'Bleibt bis',
    },
    state: { running: 'Läuft', ready: 'Fertig', failed: 'Fehlgeschlagen' },
    download: 'Herunterladen',
    saved: 'Der Export wurde gespeichert',
    incident: 'Sein Vorfall',
    remove: '{name} entfernen',
    removeTitle: 'Export {name} entfernen?',
    removeText: 'Die ZIP-Datei wird von der Box entfernt. Heruntergeladene Kopien bleiben gültig.',
    verify: 'Einen Export prüfen',
    verifyText: 'Jeder kann ohne diese Box prüfen, dass nichts geändert wurde.',
    verifyMore:
      'Die Prüfung vergleicht jede Datei mit ihrer Prüfsumme und die Signatur mit dem Schlüssel dieser Box. Ein geändertes Byte fällt auf.',
  },
};
