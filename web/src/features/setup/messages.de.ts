/** Texte des Einrichtungsassistenten. */
import type { messages as english } from './messages.en.ts';

export const messages: typeof english = {
  setup: {
    progress: 'Fortschritt der Einrichtung',
    next: 'Weiter',
    create: 'Box einrichten',
    step: { code: 'Code', place: 'Ort', admin: 'Admin', sound: 'Ton', finish: 'Fertig' },
    code: {
      title: 'Willkommen bei Siphera',
      text: 'Diese Box hat noch keinen Besitzer. Der Installer hat einen Einmalcode ausgegeben, der Sie zum ersten Admin macht.',
      label: 'Einrichtungscode',
      hint: 'Verloren? Auf der Box „siphera setup-code“ ausführen.',
    },
    place: {
      title: 'Wo steht die Box?',
      text: 'Namen lassen sich später ändern.',
      org: 'Organisation',
      site: 'Standort',
      siteHint: 'Das Gebäude, das diese Box überwacht, zum Beispiel „Hafenturm“.',
      zone: 'Zeitzone des Standorts',
    },
    admin: {
      title: 'Der erste Admin',
      text: 'Es gibt kein Standardpasswort. Wählen Sie Ihres.',
      name: 'Name',
      email: 'E-Mail-Adresse',
      password: 'Passwort',
      passwordHint: 'Mindestens {n} Zeichen. Ein Satz ist gut.',
      repeat: 'Passwort wiederholen',
      mismatch: 'Die beiden Passwörter sind verschieden',
    },
    sound: {
      title: 'Werden Sie einen Alarm hören?',
      text: 'Spielen Sie den Alarmton einmal auf diesem Gerät.',
      play: 'Alarmton abspielen',
    },
    finish: {
      title: 'Die Box ist bereit',
      text: 'Was die meisten als Nächstes tun:',
      board: 'Vorfalltafel öffnen',
      trust: { title: 'Der Box auf Ihren Geräten vertrauen', text: 'Telefone und Rechner, per QR-Code' },
      plans: { title: 'Stockwerke und Grundrisse anlegen', text: 'Bild hochladen, Geräte platzieren' },
      devices: { title: 'Geräte anlegen', text: 'Einzeln oder per CSV' },
      users: { title: 'Ihre Wachen einladen', text: 'Konten, Rollen und wo sie gelten' },
    },
  },
};
