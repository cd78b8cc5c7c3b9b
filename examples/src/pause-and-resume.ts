/**
 * A pipeline that pauses for input. End it with Ctrl-C or kill -9 while it waits and start it again: it attaches to the question that it
 * asked, also if somebody has answered in the meantime. Arguments: [connection.json [key]]
 */
import { PauseForInputStep } from '@umpire/client';
import { natsOptionsFrom, UmpireNats } from '@umpire/client/nats';
import { readConnection } from './connection.ts';

// The key names this pause among all of the step: another payout, another key.
const key = process.argv[3] ?? 'payout-17';
const client = await UmpireNats.connect(natsOptionsFrom(readConnection()));

const confirmAccount = new PauseForInputStep({
  client,
  pipelineName: 'payouts',
  name: 'confirm-account',
  config: {
    prompt: 'The invoice names an account that we do not know. Which one is right?',
    ui_schema: { fields: [{ name: 'iban', type: 'text', label: 'IBAN', required: true, min_length: 15, max_length: 34 }] },
    timeout: 24 * 3600,
  },
});

// What comes before the pause runs again after a restart; what is asked does not.
const envelope = await confirmAccount.run({ payout: 17, amount: 1_250 }, { key });
console.log(`paused ${envelope.interaction_id}: ${envelope.prompt}`);

const outcome = await confirmAccount.outcome(envelope);
if (outcome.state === 'completed') console.log(`resumed ${JSON.stringify(outcome.merged)}`);
else console.log(`ended ${outcome.state}: nobody answered in time`);
await client.close();
