import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { DeadLetter } from '@umpire/contract';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stack } from './stack.ts';

/** The operator's NATS connection of a local home: may do everything, for looking from outside. */
export async function operatorConnection(stack: Stack): Promise<NatsConnection> {
  const secrets = JSON.parse(await readFile(join(stack.home, 'secrets.json'), 'utf8')) as { nats: { operator: { user: string; pass: string } } };
  const { user, pass } = secrets.nats.operator;
  return connect({ servers: stack.connection.nats_url, user, pass, inboxPrefix: '_INBOX.operator' });
}

/** @returns every message of a stream, parsed. */
export async function readStream<T>(stack: Stack, stream: string): Promise<T[]> {
  return (await readTexts(stack, stream)).map((text) => JSON.parse(text) as T);
}

/** @returns every message of a stream as it stands there. */
export async function readTexts(stack: Stack, stream: string): Promise<string[]> {
  const connection = await operatorConnection(stack);
  try {
    const { state } = await (await jetstreamManager(connection)).streams.info(stream);
    if (state.messages === 0) return [];
    const consumer = await jetstream(connection).consumers.get(stream);
    const found: string[] = [];
    for await (const message of await consumer.consume({ max_messages: 500 })) {
      found.push(message.string());
      if (message.info.pending === 0) break;
    }
    return found;
  } finally {
    await connection.close();
  }
}

export const readDeadLetters = (stack: Stack) => readStream<DeadLetter>(stack, 'HITL_REJECTED');
