import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { eventually } from '@umpire/testing';

export type Mail = { to: string[]; from: string; raw: string; subject: string; text: string; messageId: string };

/** A real SMTP server that keeps what it gets. */
export class Mailbox {
  readonly mails: Mail[] = [];
  /** What the server says to a recipient: an error's `responseCode` and message, or nothing. */
  refuse: (to: string) => { responseCode: number; message: string } | null = () => null;
  private readonly server: SMTPServer;

  private constructor() {
    this.server = new SMTPServer({
      disabledCommands: ['STARTTLS', 'AUTH'],
      authOptional: true,
      onRcptTo: (address, _, callback) => {
        const refusal = this.refuse(address.address);
        callback(refusal ? Object.assign(new Error(refusal.message), { responseCode: refusal.responseCode }) : null);
      },
      onData: (stream, session, callback) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const raw = Buffer.concat(chunks).toString();
          this.mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), from: session.envelope.mailFrom ? session.envelope.mailFrom.address : '', raw, ...parse(raw) });
          callback();
        });
      },
    });
  }

  static async start(): Promise<Mailbox> {
    const mailbox = new Mailbox();
    await new Promise<void>((resolve) => mailbox.server.listen(0, '127.0.0.1', () => resolve()));
    return mailbox;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.server.address() as AddressInfo).port}`;
  }

  got(count: number): Promise<Mail[]> {
    return eventually(`${count} mails, not ${this.mails.length}`, () => (this.mails.length >= count ? this.mails : null));
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

/** Header lines unfolded, the body's quoted-printable or base64 undone. */
function parse(raw: string): { subject: string; text: string; messageId: string } {
  const [head, ...rest] = raw.split('\r\n\r\n');
  const headers = head!.replaceAll(/\r\n[ \t]+/g, ' ');
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(headers)?.[1] ?? '';
  const body = rest.join('\r\n\r\n');
  const encoding = header('Content-Transfer-Encoding').toLowerCase();
  const text = encoding === 'base64' ? Buffer.from(body, 'base64').toString() : encoding === 'quoted-printable' ? unquote(body) : body;
  return { subject: header('Subject'), text, messageId: header('Message-ID') };
}

function unquote(body: string): string {
  const bytes = body.replaceAll(/=\r\n/g, '').replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
