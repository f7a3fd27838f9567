/** Handlers of the notification routes. Secrets are sealed here, before they reach the writer. */
import { AppError, type Handlers } from '@siphera/runtime';
import { contextOf, type AppDeps } from '../../app-deps.ts';
import type { notifyRoutes } from '../../http-routes.ts';
import type { SecretBox } from '../../kernel/secret-box.ts';
import { sendMail } from '../adapters/mail-sender.ts';
import { sendWebhook } from '../adapters/webhook-sender.ts';

/** What a test came to; a refusal by the far end is an answer, not an error of ours. */
async function report(run: () => Promise<string>): Promise<{ ok: boolean; answer: string }> {
  try {
    return { ok: true, answer: await run() };
  } catch (error) {
    if (error instanceof AppError && error.code !== 'internal') return { ok: false, answer: error.message };
    throw error;
  }
}

export function notifyHandlers(app: AppDeps, secrets: SecretBox): Handlers<notifyRoutes> {
  const { box, clock, random } = app;
  return {
    getSmtp: (call) => box.read('getSmtp', contextOf(call), {}),
    putSmtp: async (call) => {
      const { password, ...settings } = call.body;
      await box.write('putSmtp', contextOf(call), {
        settings,
        sealed_password: password === undefined ? undefined : secrets.seal(password),
      });
      return box.read('getSmtp', contextOf(call), {});
    },
    testSmtp: async (call) => {
      const smtp = await box.read('getSmtpAccess', contextOf(call), {});
      const password = smtp.password === null ? undefined : secrets.open(smtp.password);
      return report(() =>
        sendMail(
          { ...smtp, password },
          {
            id: random.uuid(),
            to: call.body.to,
            subject: 'Test from your Siphera box',
            text: 'E-mail from the box works.\n',
            critical: false,
          },
        ),
      );
    },
    listWebhooks: (call) => box.read('listWebhooks', contextOf(call), {}),
    createWebhook: async (call) => {
      // Standard Webhooks: 24 to 64 random bytes behind `whsec_`.
      const secret = `whsec_${random.bytes(32).toString('base64')}`;
      const webhook = await box.write('createWebhook', contextOf(call), {
        ...call.body,
        sealed_secret: secrets.seal(secret),
      });
      return { ...webhook, secret };
    },
    updateWebhook: (call) => box.write('updateWebhook', contextOf(call), { ...call.params, ...call.body }),
    deleteWebhook: (call) => box.write('deleteWebhook', contextOf(call), call.params),
    testWebhook: async (call) => {
      const access = await box.read('getWebhookAccess', contextOf(call), call.params);
      const id = random.uuid();
      const payload = JSON.stringify({ id, type: 'test', trace_id: call.traceId });
      return report(() =>
        sendWebhook({
          url: access.url,
          secret: secrets.open(access.sealed_secret),
          id,
          atMs: clock.now(),
          payload,
          allow: access.allow,
        }),
      );
    },
    listDeliveries: (call) => box.read('listDeliveries', contextOf(call), call.query),
    listEscalations: (call) => box.read('listEscalations', contextOf(call), {}),
    createEscalation: (call) => box.write('createEscalation', contextOf(call), call.body),
    putEscalation: (call) => box.write('putEscalation', contextOf(call), { ...call.params, ...call.body }),
    deleteEscalation: (call) => box.write('deleteEscalation', contextOf(call), call.params),
  };
}
