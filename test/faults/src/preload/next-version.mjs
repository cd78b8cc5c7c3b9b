/** Given to a service by `--import`: it speaks the event schema's next version, which adds fields to an event, and an event's data. */
import { registerHooks } from 'node:module';

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (url.endsWith('/libs/contract/dist/reasons.js')) return { ...loaded, source: replaced(loaded.source, "SCHEMA_VERSION = '1.0'", "SCHEMA_VERSION = '1.1'") };
    if (url.endsWith('/services/state-store/dist/event-record.js')) return { ...loaded, source: replaced(loaded.source, 'schema_version: SCHEMA_VERSION,', 'added_by_1_1: { nested: [1, 2, 3] }, schema_version: SCHEMA_VERSION,') };
    return loaded;
  },
});

function replaced(source, from, to) {
  const text = String(source);
  if (!text.includes(from)) throw new Error(`the next version cannot be made: there is no ${from}`);
  return text.replaceAll(from, to);
}
