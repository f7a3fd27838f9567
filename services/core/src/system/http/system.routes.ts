/** REST of the box itself: health, settings, the certificate that consoles must trust, the API's own description. */
import type { X509Certificate } from 'node:crypto';
import { buildOpenApi } from '@siphera/contract';
import { AppError, toRfc3339, type Handlers } from '@siphera/runtime';
import { contextOf, type AppDeps } from '../../app-deps.ts';
import type { systemRoutes } from '../../http-routes.ts';
import { frontCertificate, readCa } from '../adapters/certificates.ts';
import { productVersion } from '../adapters/product.ts';
import { appleProfile } from '../domain/apple-profile.ts';
import type { StoredSettings } from '../store/settings.store.ts';
import { measureHealth } from './system-health.ts';

export function systemHandlers(app: AppDeps): Handlers<systemRoutes> {
  const openApi = buildOpenApi(productVersion);
  return {
    getHealth: () => Promise.resolve({ state: app.status.failure() === undefined ? 'ok' : 'down' }),
    getSystemHealth: async (call) =>
      measureHealth(app, await app.box.read('databaseHealth', contextOf(call), {})),
    getSettings: async (call) => shown(app, await app.box.read('getSettings', contextOf(call), {})),
    patchSettings: async (call) =>
      shown(app, await app.box.write('patchSettings', contextOf(call), call.body)),
    getTrust: () => Promise.resolve(trustInfo(app)),
    getCaCertificate: () =>
      Promise.resolve({
        mediaType: 'application/x-x509-ca-cert',
        fileName: 'siphera-ca.crt',
        body: ownCa(app).raw,
      }),
    getCaProfile: () => {
      const ca = ownCa(app);
      const profile = appleProfile({
        der: ca.raw,
        fingerprint256: ca.fingerprint256,
        hostName: app.config.PUBLIC_HOST_NAME,
      });
      return Promise.resolve({
        mediaType: 'application/x-apple-aspen-config',
        fileName: 'siphera.mobileconfig',
        body: Buffer.from(profile),
      });
    },
    getOpenApi: () => Promise.resolve(openApi),
  };
}

const urlsOf = (app: AppDeps): string[] => {
  const given = app.config.PUBLIC_URLS.split(',')
    .map((url) => url.trim())
    .filter((url) => url !== '');
  return given.length > 0 ? given : [`https://${app.config.PUBLIC_HOST_NAME}`];
};

const shown = (app: AppDeps, stored: StoredSettings) => ({
  ...stored,
  box_name: app.config.PUBLIC_HOST_NAME,
  host_names: [...new Set([app.config.PUBLIC_HOST_NAME, ...urlsOf(app).map((url) => new URL(url).hostname)])],
});

/** What a device must trust: the box's own CA, unless an admin brought a certificate that is trusted already. */
function trustInfo(app: AppDeps) {
  const front = frontCertificate(app.config);
  const common = { host_name: app.config.PUBLIC_HOST_NAME, urls: urlsOf(app) };
  if (front && !front.ownCa)
    return {
      ...common,
      own_ca: false,
      fingerprint_sha256: front.fingerprintSha256,
      expires_at: toRfc3339(front.expiresMs),
    };
  const ca = readCa(app.config);
  return {
    ...common,
    own_ca: true,
    fingerprint_sha256: ca.fingerprint256,
    expires_at: toRfc3339(Date.parse(ca.validTo)),
  };
}

/** @throws AppError `not_found` when the box does not use its own CA: then nobody should be asked to trust it. */
function ownCa(app: AppDeps): X509Certificate {
  const front = frontCertificate(app.config);
  if (front && !front.ownCa)
    throw new AppError('not_found', "The box uses an admin's certificate; there is nothing to install.");
  return readCa(app.config);
}
