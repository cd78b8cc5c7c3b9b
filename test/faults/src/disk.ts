import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEBIBYTE = 1024 * 1024;

/** A disk of a few megabytes below a home, in memory. Only root may mount it. */
export class SmallDisk {
  private readonly place: (home: string) => string;
  private readonly megabytes: number;
  private folder = '';

  constructor(place: (home: string) => string, megabytes: number) {
    this.place = place;
    this.megabytes = megabytes;
  }

  /** @returns why there can be none here, or null */
  static impossible(): string | null {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'mounting a small disk needs Linux and root';
    const probe = mkdtempSync(join(tmpdir(), 'umpire-mount-'));
    try {
      const { status, stderr } = mount(probe, 1);
      if (status !== 0) return `mounting is not permitted here: ${stderr.trim()}`;
      spawnSync('umount', [probe]);
      return null;
    } finally {
      rmSync(probe, { recursive: true, force: true });
    }
  }

  readonly mount = (home: string): void => {
    // Postgres runs as another user, who must be able to walk through.
    chmodSync(home, statSync(home).mode | 0o011);
    this.folder = this.place(home);
    mkdirSync(this.folder, { recursive: true });
    const { status, stderr } = mount(this.folder, this.megabytes);
    if (status !== 0) throw new Error(`no small disk: ${stderr}`);
  };

  readonly unmount = (): void => {
    spawnSync('umount', ['-l', this.folder]);
  };

  /** Takes all that is left. @returns how many bytes that was */
  fill(): number {
    const file = openSync(join(this.folder, 'ballast'), 'w');
    let bytes = 0;
    for (let size = MEBIBYTE; size >= 1; ) {
      try {
        bytes += writeSync(file, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size >>= 2;
      }
    }
    closeSync(file);
    return bytes;
  }

  free(): void {
    rmSync(join(this.folder, 'ballast'));
  }
}

function mount(folder: string, megabytes: number) {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'tmpfs', folder], { encoding: 'utf8' });
}
