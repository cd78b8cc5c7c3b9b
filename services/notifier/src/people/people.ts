import type { Foundation } from '../foundation.ts';
import { ChannelService } from './channel.service.ts';
import { Mailer } from './mailer.ts';
import { NoticeFanOut } from './notice-fan-out.service.ts';
import { NoticeLoop } from './notice.loop.ts';

/** Everything that messages to people run on. */
export class People {
  readonly fanOut: NoticeFanOut;
  readonly channels: ChannelService;
  private readonly mailer: Mailer | null;
  private readonly loop: NoticeLoop;

  constructor({ config, sql, logger, sealer, reachability, sender, reads, contents, replica }: Foundation) {
    this.mailer = config.smtpUrl === undefined ? null : new Mailer(config.smtpUrl, config.mailFrom);
    this.loop = new NoticeLoop({
      sql, reads, sender, mailer: this.mailer, sealer, logger, replica, publicUrl: config.publicUrl, retrySeconds: config.noticeRetrySeconds, retentionDays: config.retentionDays,
    });
    const wake = () => this.loop.wake();
    this.fanOut = new NoticeFanOut({ sql, reads, contents, made: wake });
    this.channels = new ChannelService({ sql, sealer, reachability, mail: this.mailer !== null, wake });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    this.mailer?.close();
  }
}
