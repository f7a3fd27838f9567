/** A real SMTP server on loopback that keeps what it was given, as text. */
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export type MailServer = AsyncDisposable & {
  port: number;
  mails: string[];
  /** Recipients of each, as said in the envelope. */
  envelopes: string[][];
  stop(): Promise<void>;
};

export const mailAccount = { user: 'box@example.org', pass: 'mail-password' };

/** It asks for `mailAccount`. A port given again is how it comes back. */
export async function startMailServer(port = 0): Promise<MailServer> {
  const mails: string[] = [];
  const envelopes: string[][] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: (auth, _session, done) => {
      const known = auth.username === mailAccount.user && auth.password === mailAccount.pass;
      done(
        known ? null : new Error('535 Authentication credentials invalid'),
        known ? { user: auth.username } : {},
      );
    },
    onData: (stream, session, done) => {
      void text(stream).then((mail) => {
        mails.push(mail);
        envelopes.push(session.envelope.rcptTo.map((to) => to.address));
        done();
      });
    },
  });
  // A client that is cut off is no failure of the server.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = (): Promise<void> => new Promise((resolve) => server.close(resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    envelopes,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
