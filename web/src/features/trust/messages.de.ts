/** Texte der Vertrauensseite. */
import type { messages as english } from './messages.en.ts';

export const messages: typeof english = {
  trust: {
    title: 'Dieses Gerät der Box vertrauen lassen',
    text: 'Die Box stellt ihr Zertifikat selbst aus, weil sie ohne Internet arbeitet. Sagen Sie jedem Telefon und Rechner einmal, dass Sie ihr vertrauen. Dann zeigt die Adresszeile keine Warnung, und Mikrofon, Mitteilungen und die installierte App funktionieren.',
    check: 'Erneut prüfen',
    goOn: 'Konsole öffnen',
    console: 'Zur Konsole',
    system: 'Ihr System',
    stepsTitle: 'Schritte',
    certificate: 'Zertifikat herunterladen',
    profile: 'Profil herunterladen',
    phone: 'Auf dem Telefon',
    qrLabel: 'QR-Code von {address}',
    fingerprint: 'Fingerabdruck (SHA-256)',
    fingerprintHint: 'Vergleichen Sie ihn mit dem, den install.sh ausgegeben hat, bevor Sie vertrauen.',
    notOwn:
      'Diese Box benutzt ein Zertifikat einer öffentlichen oder firmeneigenen Stelle. Es gibt nichts zu installieren.',
    verdict: {
      checking: { title: 'Prüft …', text: 'Fragt den Browser nach dem Zertifikat dieser Adresse.' },
      trusted: {
        title: 'Dieses Gerät vertraut der Box',
        text: 'Das Zertifikat wird ohne Warnung angenommen.',
      },
      not_trusted: {
        title: 'Dieses Gerät vertraut der Box noch nicht',
        text: 'Der Browser warnt oder wurde angewiesen, die Warnung zu übergehen. Folgen Sie den Schritten unten.',
      },
      insecure: {
        title: 'Diese Seite kam über eine ungeschützte Leitung',
        text: 'Öffnen Sie sie mit https:// vor der Adresse und folgen Sie dann den Schritten.',
      },
      unknown: {
        title: 'Der Browser sagt es nicht',
        text: 'Zeigt die Adresszeile keine Warnung, wird der Box vertraut.',
      },
    },
    platform: {
      windows: {
        name: 'Windows',
        steps: [
          'Laden Sie das Zertifikat herunter und öffnen Sie die Datei siphera-ca.crt.',
          'Klicken Sie auf „Zertifikat installieren …“, wählen Sie „Lokaler Computer“ und bestätigen Sie.',
          'Wählen Sie „Alle Zertifikate in folgendem Speicher speichern“, klicken Sie auf „Durchsuchen“ und nehmen Sie „Vertrauenswürdige Stammzertifizierungsstellen“.',
          'Schließen Sie ab, beenden Sie den Browser ganz und öffnen Sie ihn neu.',
        ],
      },
      macos: {
        name: 'macOS',
        steps: [
          'Laden Sie das Profil herunter und öffnen Sie es.',
          'Öffnen Sie Systemeinstellungen, Allgemein, Geräteverwaltung und doppelklicken Sie das Profil von Siphera.',
          'Klicken Sie auf „Installieren“ und geben Sie das Passwort dieses Macs ein.',
          'Beenden Sie den Browser ganz und öffnen Sie ihn neu.',
        ],
      },
      ios: {
        name: 'iPhone, iPad',
        steps: [
          'Scannen Sie den Code mit der Kamera, öffnen Sie diese Seite in Safari und laden Sie das Profil.',
          'Öffnen Sie Einstellungen; tippen Sie oben auf „Profil geladen“, dann auf „Installieren“.',
          'Öffnen Sie Einstellungen, Allgemein, Info, Zertifikatsvertrauenseinstellungen.',
          'Schalten Sie volles Vertrauen für „Siphera“ ein.',
        ],
      },
      android: {
        name: 'Android',
        steps: [
          'Scannen Sie den Code mit der Kamera, öffnen Sie diese Seite in Chrome und laden Sie das Zertifikat.',
          'Öffnen Sie Einstellungen, Sicherheit, Weitere Sicherheitseinstellungen, Verschlüsselung und Anmeldedaten, Ein Zertifikat installieren.',
          'Wählen Sie „CA-Zertifikat“, bestätigen Sie die Warnung und nehmen Sie siphera-ca.crt.',
          'Schließen Sie Chrome und öffnen Sie diese Seite erneut.',
        ],
      },
      linux: {
        name: 'Linux',
        steps: [
          'Laden Sie das Zertifikat herunter.',
          'Chrome und Edge: Einstellungen, Datenschutz und Sicherheit, Sicherheit, Zertifikate verwalten, Benutzerdefiniert, Vertrauenswürdige Zertifikate; dort die Datei importieren.',
          'Für das ganze System unter Debian und Ubuntu: Datei nach /usr/local/share/ca-certificates/ kopieren und „sudo update-ca-certificates“ ausführen.',
          'Beenden Sie den Browser ganz und öffnen Sie ihn neu.',
        ],
      },
      firefox: {
        name: 'Firefox',
        steps: [
          'Laden Sie das Zertifikat herunter.',
          'Öffnen Sie Einstellungen, Datenschutz & Sicherheit, Zertifikate, „Zertifikate anzeigen …“.',
          'Klicken Sie auf dem Reiter „Zertifizierungsstellen“ auf „Importieren …“ und wählen Sie siphera-ca.crt.',
          'Haken Sie „Dieser CA vertrauen, um Websites zu identifizieren“ an, bestätigen Sie und laden Sie diese Seite neu.',
        ],
      },
    },
  },
};
