/** Texte der Wand. */
import type { messages as english } from '#features/wall/messages.en.ts';

export const messages: typeof english = {
  wall: {
    title: 'Kamerawand',
    layout: 'Aufteilung',
    tiles: '{n} Kacheln',
    free: 'Frei',
    columns: 'Spalten',
    rows: 'Zeilen',
    layouts: 'Ansichten',
    saveAs: 'Speichern unter…',
    save: '{name} speichern',
    saved: 'Die Ansicht wurde gespeichert',
    remove: '{name} löschen',
    name: 'Name',
    share: 'Für alle',
    shareHint: 'Jeder sieht die Kameras, die er sehen darf.',
    shared: 'geteilt',
    sequence: 'Durch alle Kameras wechseln',
    alarm: 'Alarme kommen nach vorn',
    cameras: 'Liste der Kameras',
    clear: 'Kachel {n} leeren',
    empty: 'Kachel {n} wählen',
    dropHere: 'Kamera hierher ziehen',
    gone: 'Diese Kamera ist Ihnen nicht zugänglich',
  },
};
