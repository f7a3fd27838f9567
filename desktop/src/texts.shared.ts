/** Texts of the desk's own pages. The console inside brings its own. */

const en = {
  title: 'Connect this desk to a box',
  damaged:
    'The settings of this desk cannot be read. Nothing was changed. Connect it again, and compare the fingerprint as on the first day.',
  address: 'Address of the box',
  addressHint: 'As in the browser, for example box.example or 192.168.1.20',
  look: 'Look',
  compare:
    'Compare this fingerprint with the one that the installer printed, or that the box shows under “Trust this box”:',
  paste: 'Or paste that fingerprint here',
  mismatch: 'This is another fingerprint. Do not connect: somebody may stand between this desk and the box.',
  compared: 'I compared it, they are the same',
  adminCertificate: 'This box uses a certificate of your organisation. It is checked as in a browser.',
  autostart: 'Start the desk when I sign in to this computer',
  accept: 'Connect',
  bad_address: 'That is not an address of a box.',
  unreachable: 'Nothing answers there. Check the address and the network.',
  not_a_box: 'Something answers there, but it is not a Siphera box.',
  wrong_chain: 'The certificate of this server was not signed by the CA that it offers. Do not connect.',
  changed: 'The box answered differently this time. Look again.',
  away: 'The box is not there',
  awayNetwork:
    'It cannot be reached. Until it is back, this desk shows and rings nothing: use another way to watch the building.',
  awayCertificate:
    'Its certificate is not one that this desk trusts. Tell your admin before you do anything else.',
  awayHint: 'The desk tries again every three seconds.',
};

export type TextKey = keyof typeof en;

const de: Record<TextKey, string> = {
  title: 'Diesen Platz mit einer Box verbinden',
  damaged:
    'Die Einstellungen dieses Platzes sind nicht lesbar. Es wurde nichts geändert. Verbinden Sie ihn neu und vergleichen Sie den Fingerabdruck wie am ersten Tag.',
  address: 'Adresse der Box',
  addressHint: 'Wie im Browser, zum Beispiel box.example oder 192.168.1.20',
  look: 'Ansehen',
  compare:
    'Vergleichen Sie diesen Fingerabdruck mit dem, den die Installation ausgegeben hat oder den die Box unter „Dieser Box vertrauen“ zeigt:',
  paste: 'Oder fügen Sie jenen Fingerabdruck hier ein',
  mismatch:
    'Das ist ein anderer Fingerabdruck. Nicht verbinden: Jemand könnte zwischen diesem Platz und der Box stehen.',
  compared: 'Ich habe verglichen, sie sind gleich',
  adminCertificate: 'Diese Box nutzt ein Zertifikat Ihrer Organisation. Es wird wie im Browser geprüft.',
  autostart: 'Mit der Anmeldung an diesem Rechner starten',
  accept: 'Verbinden',
  bad_address: 'Das ist keine Adresse einer Box.',
  unreachable: 'Dort antwortet nichts. Prüfen Sie Adresse und Netz.',
  not_a_box: 'Dort antwortet etwas, aber keine Siphera-Box.',
  wrong_chain: 'Das Zertifikat dieses Servers stammt nicht von der CA, die er anbietet. Nicht verbinden.',
  changed: 'Die Box hat diesmal anders geantwortet. Sehen Sie noch einmal nach.',
  away: 'Die Box ist nicht da',
  awayNetwork:
    'Sie ist nicht erreichbar. Bis sie zurück ist, zeigt und klingelt dieser Platz nicht: Überwachen Sie das Gebäude auf anderem Weg.',
  awayCertificate: 'Ihrem Zertifikat vertraut dieser Platz nicht. Melden Sie das zuerst Ihrem Admin.',
  awayHint: 'Der Platz versucht es alle drei Sekunden.',
};

/** @param language BCP 47 tag of the browser. */
export const textsFor = (language: string): Record<TextKey, string> =>
  language.toLowerCase().startsWith('de') ? de : en;
