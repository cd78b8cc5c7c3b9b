export type Mail = { to: string; subject: string; text: string; messageId: string };
export type MailResult = { ok: true } | { ok: false; permanent: boolean; detail: string };

/** Sends mail over SMTP. Never throws: every way to fail is a result. The library is loaded only where there is a mailer. */
export class Mailer {
  private readonly transport;
  private readonly from: string;

  /** @param url `smtp://user:password@host:port`, or `smtps://…`; further settings as nodemailer reads them from the query */
  constructor(url: string, from: string) {
    this.from = from;
    this.transport = import('nodemailer').then(({ createTransport }) => createTransport({ url, pool: true, maxConnections: 4, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000, disableFileAccess: true, disableUrlAccess: true }));
    this.transport.catch(() => undefined);
  }

  async send({ to, subject, text, messageId }: Mail): Promise<MailResult> {
    try {
      await (await this.transport).sendMail({ from: this.from, to: { name: '', address: to }, subject, text, messageId, headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' } });
      return { ok: true };
    } catch (error) {
      const { responseCode, message } = error as { responseCode?: number; message: string };
      // 5xx: the server will not take it, now or later (RFC 5321, 4.2.1).
      return { ok: false, permanent: typeof responseCode === 'number' && responseCode >= 500, detail: message.split('\n', 1)[0]!.slice(0, 300) };
    }
  }

  close(): void {
    this.transport.then((transport) => transport.close(), () => undefined);
  }
}
