import { spawnSync } from 'node:child_process';
import { jetstreamManager } from '@nats-io/jetstream';
import { eventually } from '@umpire/testing';
import { consumersHoldNothing } from '../consumers.ts';
import type { FaultCase } from '../fault-case.ts';

/** An older database behind newer streams. */
export const restoreCases: FaultCase[] = [
  {
    name: 'restore',
    breaks: 'Postgres is put back to an older backup behind a newer JetStream; as the operators\' page says, the events and outcomes streams are then deleted, and producers send again what the backup does not know',
    shows: ['sentAgain'],
    run: async (run) => {
      const { load, servers, receivers, say } = run;
      const data = await run.database(async (sql) => (await sql<{ setting: string }[]>`select setting from pg_settings where name = 'data_directory'`)[0]!.setting);
      await load.moreAcked(100);
      await load.rest();
      // What is acknowledged and still lies in a stream would be in neither: not in the backup, nor among what is sent again.
      await eventually('the consumers to hold nothing', () => consumersHoldNothing(run), 120_000);
      await servers.postgres.stop();
      copy(data, `${data}.backup`);
      await servers.postgres.start();
      const mark = new Set(load.book.acked.map((entry) => entry.id));
      const heard = new Map([...receivers].map(([namespace, receiver]) => [namespace, receiver.received.length]));
      load.goOn();
      await load.moreAcked(150);
      await load.rest();
      await servers.postgres.stop();
      spawnSync('rm', ['-rf', data]);
      copy(`${data}.backup`, data);
      await servers.postgres.start();
      await run.operator(async (connection) => {
        const manager = await jetstreamManager(connection);
        await manager.streams.delete('HITL_EVENTS');
        await manager.streams.delete('HITL_OUTCOMES');
      });
      // What was told in between belongs to a past that is no more.
      for (const [namespace, receiver] of receivers) receiver.received.length = heard.get(namespace)!;
      const lost = load.book.acked.filter((entry) => !mark.has(entry.id));
      say(`put back; ${lost.length} escalations are sent again`);
      load.decideAgain(lost);
      await load.sendAgain(lost);
      load.goOn();
      await load.moreAcked(60);
      return { sentAgain: lost.length };
    },
  },
];

/** With owners and modes, as a backup of the files has them. */
function copy(from: string, to: string): void {
  const { status, stderr } = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`no backup: ${stderr}`);
}
