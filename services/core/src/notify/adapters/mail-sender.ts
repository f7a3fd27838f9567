/** Sends one e-mail by the admin's SMTP server. */
import { AppError } from '@siphera/runtime';

const timeoutMs = 15_000;

export type SmtpAccess = {
  host: string;
  port: number;
  security: 'tls' | 'starttls' | 'none';
  username: string;
  password: string | undefined;
  from: string;
};
export type Mail = { id: string; to: string; subject: string; text: string; critical: boolean };

/** @returns what the server answered. @throws AppError `unavailable` with the server's own words. */
export async function sendMail(access: SmtpAccess, mail: Mail): Promise<string> {
  // Loaded when first needed: most boxes send no mail most of the time.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host: access.host,
    port: access.port,
    secure: access.security === 'tls',
    requireTLS: access.security === 'starttls',
    ignoreTLS: access.security === 'none',
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(access.username === '' ? {} : { auth: { user: access.username, pass: access.password ?? '' } }),
  });
  try {
    const sent = await transport.sendMail({
      from: access.from,
      to: { name: '', address: mail.to },
      subject: mail.subject,
      text: mail.text,
      // A retry carries the same id, so that mail systems can drop a second copy.
      messageId: `<${mail.id}@siphera>`,
      ...(mail.critical ? { priority: 'high' as const } : {}),
    });
    return sent.response;
  } catch (cause) {
    throw new AppError('unavailable', `The mail server refused: ${(cause as Error).message}`, { cause });
  } finally {
    transport.close();
  }
}
