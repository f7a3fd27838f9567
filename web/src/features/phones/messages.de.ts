/** Texte zu Telefonen und Weckrufen. */
import type { messages as english } from './messages.en.ts';

export const messages: typeof english = {
  phones: {
    title: 'Telefone und Weckrufe',
    text: 'Was wen weckt, wenn keine Konsole offen ist. Verlassen Sie sich auf ein Telefon erst nach seiner Probe.',
    here: {
      title: 'Dieses Gerät',
      off: 'Wird nicht geweckt. Alarme erreichen Sie hier nur, solange Siphera offen ist.',
      on: 'Wird geweckt für das, was unten gewählt ist.',
      denied:
        'Der Browser lässt Siphera nicht benachrichtigen. Erlauben Sie Benachrichtigungen für diese Adresse in seinen Einstellungen und laden Sie die Seite neu.',
      unsupported:
        'Dieser Browser kann nicht geweckt werden. Nehmen Sie Chrome, Edge oder Firefox, auf dem iPhone Safari.',
      needs_install:
        'Auf dem iPhone: Teilen → Zum Home-Bildschirm, Siphera von dort öffnen und hierher zurückkommen.',
      no_worker:
        'Dem Zertifikat der Box wird hier noch nicht vertraut, darum weigert sich der Browser. Siehe „Dieser Box vertrauen“.',
      enable: 'Mich auf diesem Gerät wecken',
      disable: 'Mich hier nicht mehr wecken',
      name: 'Name dieses Geräts',
      failed:
        'Der Weckdienst des Browsers war nicht zu erreichen. Ohne Internet gibt es kein Web Push: Lassen Sie Siphera offen, dann läutet es selbst.',
      enabled: 'Dieses Gerät wird ab jetzt geweckt. Proben Sie es gleich.',
    },
    noWayOut:
      'Die Box erreicht keinen Weckdienst: Telefone außerhalb dieses Netzes werden jetzt nicht geweckt. Offene Konsolen und Apps läuten wie bisher.',
    mine: { title: 'Meine Geräte', none: 'Keines Ihrer Geräte wird geweckt.' },
    all: {
      title: 'Alle hier',
      text: 'Von den Leuten Ihrer Standorte: was läuten würde, käme jetzt ein Alarm.',
      none: 'Niemand hat ein Gerät, das geweckt wird.',
    },
    column: {
      who: 'Wer',
      device: 'Gerät',
      tested: 'Laut letzter Probe',
      alarms: 'Alarme',
      last: 'Zuletzt erreicht',
    },
    tested: {
      untested: 'Nicht geprobt',
      waiting: 'Probe läuft …',
      rings: 'Läutet',
      banner: 'Zeigt, läutet nicht',
      only_with_screen: 'Nur bei hellem Bildschirm',
      unreachable: 'Nicht erreicht',
    },
    arrived: 'nach {s} s',
    alarmsFrom: 'ab {severity}',
    noAlarms: 'Keine',
    test: 'Proben',
    testSent:
      'Abgeschickt. Schauen Sie auf das Telefon, tippen Sie auf die Meldung und sagen Sie, was Sie bemerkt haben.',
    edit: 'Wählen, was weckt',
    remove: 'Entfernen',
    removeTitle: '{name} nicht mehr wecken?',
    removeText: 'Alarme, Nachrichten und Anrufe erreichen es nicht mehr, solange Siphera dort zu ist.',
    prefs: {
      title: 'Was {name} weckt',
      alarms: 'Alarme',
      none: 'Keine Alarme',
      messages: 'Nachrichten (ohne ihren Inhalt)',
      calls: 'Anrufe',
      quiet: 'Ruhezeit',
      from: 'Von',
      until: 'Bis',
      except: 'In der Ruhezeit trotzdem',
      zone: 'In der Zeitzone dieses Geräts ({zone}).',
      saved: 'Gespeichert.',
    },
    answer: {
      title: 'Was haben Sie bemerkt?',
      text: 'Das ist die Probe dieses Telefons. Ihre Antwort sieht die Leitstelle, wenn sie wissen will, ob Sie erreichbar sind.',
      rings: 'Es läutete oder vibrierte bei dunklem Bildschirm',
      banner: 'Ich sah es, aber es gab keinen Ton',
      only_with_screen: 'Es kam erst, als ich den Bildschirm einschaltete',
      thanks: 'Danke. Die Leitstelle sieht es jetzt.',
      silentHelp:
        'Stumme Telefone verpassen Alarme. Schauen Sie auf Lautstärke, „Bitte nicht stören“ und die Benachrichtigungen von Siphera, dann proben Sie noch einmal.',
      sleepHelp:
        'Das Telefon legt den Browser schlafen. Schalten Sie das Stromsparen für ihn aus, dann proben Sie noch einmal.',
      broken:
        'Diese Adresse gehört zu keiner Probe. Beginnen Sie eine auf der Seite „Telefone und Weckrufe“.',
    },
  },
};
