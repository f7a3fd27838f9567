/** Texte der Verfahren. */
import type { messages as english } from './messages.en.ts';

export const messages: typeof english = {
  procedures: {
    title: 'Verfahren',
    text: 'Schritte, die die Wache im Vorfall abhakt; Regeln nennen das Verfahren',
    add: 'Neues Verfahren',
    edit: 'Verfahren bearbeiten',
    name: 'Name',
    steps: 'Schritte',
    step: 'Schritt {n}',
    required: 'Muss erledigt sein',
    requiredBadge: 'Pflicht',
    addStep: 'Schritt hinzufügen',
    up: 'Nach oben',
    down: 'Nach unten',
    removeStep: 'Schritt entfernen',
    none: 'Noch keine Verfahren',
    noneText: 'Schreiben Sie auf, was zu tun ist, damit es um drei Uhr früh genauso gemacht wird.',
    note: 'Offene Vorfälle behalten die Schritte, mit denen sie begannen.',
    saved: 'Gespeichert',
    remove: 'Verfahren entfernen',
    removeTitle: '{name} entfernen?',
    removeText: 'Es lässt sich nur entfernen, solange keine Regel es nennt.',
    removed: '{name} wurde entfernt',
  },
};
