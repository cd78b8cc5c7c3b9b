import { headers, type MsgHdrs } from '@nats-io/transport-node';

export function toHeaders(entries: Record<string, string>): MsgHdrs {
  const result = headers();
  for (const [name, value] of Object.entries(entries)) result.set(name, value);
  return result;
}
