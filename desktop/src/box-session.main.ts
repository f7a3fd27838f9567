/**
 * The one session of the desk: it reaches the box and nothing else, trusts what the admin compared and nothing else, and
 * hands out no permission but microphone and camera.
 */
import type { Certificate, Session } from 'electron';
import { withPolicy } from './csp.shared.ts';
import type { CurrentBox, Log } from './electron-api.main.ts';
import { deskScheme, mayRequest, mayUse } from './guard.shared.ts';
import { servePages } from './pages.main.ts';
import { judgeCertificate, type Verdict } from './trust.shared.ts';

export type BoxSessionOptions = {
  session: Session;
  box: CurrentBox;
  pageDirectory: string;
  nowMs: () => number;
  log: Log;
};

/** Chromium's numbers for `setCertificateVerifyProc`. */
const answers: Record<Verdict, number> = { accept: 0, reject: -2, as_chromium_says: -3 };

export function secureSession(options: BoxSessionOptions): void {
  const { session, box, log } = options;
  trustOnly(options);
  session.protocol.handle(deskScheme, servePages(options.pageDirectory));
  session.setPermissionRequestHandler((_contents, permission, done, details) => {
    done(mayUse(box()?.origin, permission, details.requestingUrl));
  });
  session.setPermissionCheckHandler((_contents, permission, requestingOrigin) =>
    mayUse(box()?.origin, permission, requestingOrigin),
  );
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest((details, done) => {
    const allowed = mayRequest(box()?.origin, details.url);
    if (!allowed) log('request_blocked', { url: details.url.slice(0, 200) });
    done({ cancel: !allowed });
  });
  session.webRequest.onHeadersReceived((details, done) => {
    const isPage = details.resourceType === 'mainFrame' || details.resourceType === 'subFrame';
    done(isPage ? { responseHeaders: withPolicy(details.responseHeaders) } : {});
  });
}

/** To be called again after another box or CA was set: Chromium remembers verdicts for the life of a proc. */
export function trustOnly({ session, box, nowMs, log }: BoxSessionOptions): void {
  session.setCertificateVerifyProc((request, done) => {
    const { hostname, certificate } = request;
    const verdict = judgeCertificate({ hostname, chain: pemChain(certificate), box: box(), nowMs: nowMs() });
    if (verdict === 'reject') log('certificate_rejected', { hostname, subject: certificate.subjectName });
    done(answers[verdict]);
  });
}

function pemChain(leaf: Certificate): string[] {
  const chain: string[] = [];
  let current: Certificate | undefined = leaf;
  // Bounded: a self-signed certificate is its own issuer.
  while (current !== undefined && chain.length < 4) {
    chain.push(current.data);
    current = current.issuerCert;
  }
  return chain;
}
