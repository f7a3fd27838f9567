/** An Apple configuration profile that offers the box's CA for trust. Apple, "Configuration Profile Reference", certificate payloads. */

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** A UUID made of a fingerprint, so that installing the profile again replaces it. */
function uuidOf(fingerprint: string, salt: string): string {
  const hex = (salt + fingerprint.replaceAll(':', '')).toUpperCase().slice(0, 32);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export function appleProfile(ca: { der: Buffer; fingerprint256: string; hostName: string }): string {
  const name = escape(`Siphera ${ca.hostName}`);
  const identifier = `box.siphera.${escape(ca.hostName)}`;
  const base64 = ca.der.toString('base64').replaceAll(/.{64}/g, '$&\n');
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadContent</key>
  <array>
    <dict>
      <key>PayloadCertificateFileName</key><string>siphera-ca.crt</string>
      <key>PayloadContent</key>
      <data>
${base64}
      </data>
      <key>PayloadDisplayName</key><string>${name}</string>
      <key>PayloadIdentifier</key><string>${identifier}.ca</string>
      <key>PayloadType</key><string>com.apple.security.root</string>
      <key>PayloadUUID</key><string>${uuidOf(ca.fingerprint256, '0A')}</string>
      <key>PayloadVersion</key><integer>1</integer>
    </dict>
  </array>
  <key>PayloadDescription</key><string>Lets this device trust the Siphera box ${escape(ca.hostName)}.</string>
  <key>PayloadDisplayName</key><string>${name}</string>
  <key>PayloadIdentifier</key><string>${identifier}</string>
  <key>PayloadRemovalDisallowed</key><false/>
  <key>PayloadType</key><string>Configuration</string>
  <key>PayloadUUID</key><string>${uuidOf(ca.fingerprint256, '0B')}</string>
  <key>PayloadVersion</key><integer>1</integer>
</dict>
</plist>
`;
}
