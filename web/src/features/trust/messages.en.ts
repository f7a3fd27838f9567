/** Texts of the trust page. */
export const messages = {
  trust: {
    title: 'Make this device trust the box',
    text: 'The box issues its own certificate, because it works without the internet. Tell each phone and PC once that you trust it. Then the address bar shows no warning, and the microphone, notifications and the installed app work.',
    check: 'Check again',
    goOn: 'Open the console',
    console: 'To the console',
    system: 'Your system',
    stepsTitle: 'Steps',
    certificate: 'Download the certificate',
    profile: 'Download the profile',
    phone: 'On a phone',
    qrLabel: 'QR code of {address}',
    fingerprint: 'Fingerprint (SHA-256)',
    fingerprintHint: 'Compare it with the one that install.sh printed before you trust it.',
    notOwn: 'This box uses a certificate of a public or company authority. There is nothing to install.',
    verdict: {
      checking: { title: 'Checking…', text: 'Asking the browser about the certificate of this address.' },
      trusted: {
        title: 'This device trusts the box',
        text: 'The certificate is accepted without a warning.',
      },
      not_trusted: {
        title: 'This device does not trust the box yet',
        text: 'The browser shows a warning or was told to ignore it. Follow the steps below.',
      },
      insecure: {
        title: 'This page came over an unprotected line',
        text: 'Open it with https:// in front of the address, then follow the steps.',
      },
      unknown: {
        title: 'The browser does not say',
        text: 'If the address bar shows no warning, the box is trusted.',
      },
    },
    platform: {
      windows: {
        name: 'Windows',
        steps: [
          'Download the certificate and open the file siphera-ca.crt.',
          'Click “Install Certificate…”, choose “Local Machine” and confirm.',
          'Choose “Place all certificates in the following store”, click “Browse” and pick “Trusted Root Certification Authorities”.',
          'Finish, close the browser completely and open it again.',
        ],
      },
      macos: {
        name: 'macOS',
        steps: [
          'Download the profile and open it.',
          'Open System Settings, General, Device Management, and double-click the Siphera profile.',
          'Click “Install” and enter the password of this Mac.',
          'Close the browser completely and open it again.',
        ],
      },
      ios: {
        name: 'iPhone, iPad',
        steps: [
          'Scan the code with the camera, open this page in Safari and download the profile.',
          'Open Settings; tap “Profile Downloaded” at the top, then “Install”.',
          'Open Settings, General, About, Certificate Trust Settings.',
          'Switch on full trust for “Siphera”.',
        ],
      },
      android: {
        name: 'Android',
        steps: [
          'Scan the code with the camera, open this page in Chrome and download the certificate.',
          'Open Settings, Security, More security settings, Encryption and credentials, Install a certificate.',
          'Choose “CA certificate”, confirm the warning and pick siphera-ca.crt.',
          'Close Chrome and open this page again.',
        ],
      },
      linux: {
        name: 'Linux',
        steps: [
          'Download the certificate.',
          'Chrome and Edge: open Settings, Privacy and security, Security, Manage certificates, Custom, Trusted certificates, and import the file.',
          'For the whole system on Debian and Ubuntu: copy the file to /usr/local/share/ca-certificates/ and run “sudo update-ca-certificates”.',
          'Close the browser completely and open it again.',
        ],
      },
      firefox: {
        name: 'Firefox',
        steps: [
          'Download the certificate.',
          'Open Settings, Privacy & Security, Certificates, “View Certificates…”.',
          'On the tab “Authorities” click “Import…” and choose siphera-ca.crt.',
          'Tick “Trust this CA to identify websites”, confirm, and load this page again.',
        ],
      },
    },
  },
};
