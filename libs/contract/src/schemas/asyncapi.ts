import { REASONS } from '../reasons.ts';
import { REQUESTS, STREAMS, type StreamSpec } from '../topology.ts';
import { publishedSchemas } from './published.ts';

/**
 * The AsyncAPI 3 document of what producers and pipelines can reach over NATS, made from the topology's table: a channel for each
 * subject, what they send and what they receive. Internal requests between services are left out.
 * @param server host and port that the document names
 */
export function asyncApiDocument(server = 'localhost:4222'): Record<string, unknown> {
  const schemas = publishedSchemas();
  const channels: Record<string, unknown> = {};
  const operations: Record<string, unknown> = {};
  const messages: Record<string, unknown> = {};
  const used = new Set<string>();
  const message = (schema: string) => {
    used.add(schema);
    messages[schema] = { name: schema, contentType: 'application/json', payload: { $ref: `#/components/schemas/${schema}` } };
    return { $ref: `#/components/messages/${schema}` };
  };
  for (const [key, stream] of Object.entries(STREAMS) as [string, StreamSpec][]) {
    for (const { name, address, schema } of addresses(key, stream)) {
      channels[name] = { address, parameters: parametersOf(address), messages: { [schema]: message(schema) }, description: `JetStream stream ${stream.name}.` };
      const sends = stream.publishers.includes('producer');
      operations[`${sends ? 'send' : 'receive'}_${name}`] = {
        action: sends ? 'send' : 'receive',
        channel: { $ref: `#/channels/${name}` },
        messages: [{ $ref: `#/channels/${name}/messages/${schema}` }],
      };
    }
  }
  for (const request of REQUESTS.filter((one) => one.askers.includes('producer'))) {
    const name = request.schema.replaceAll('-', '_');
    const address = request.subject.replace('*', '{namespace}');
    channels[name] = { address, parameters: parametersOf(address), messages: { [request.schema]: message(request.schema) }, description: 'Core NATS request; the answer comes to the reply subject.' };
    operations[`send_${name}`] = { action: 'send', channel: { $ref: `#/channels/${name}` }, messages: [{ $ref: `#/channels/${name}/messages/${request.schema}` }] };
  }
  return {
    asyncapi: '3.0.0',
    info: { title: 'Umpire over NATS', version: '1.0.0', description: 'What producers send and what pipelines resume on. Subjects are routed by escalation reason.' },
    servers: { nats: { host: server, protocol: 'nats' } },
    channels,
    operations,
    components: { messages, schemas: Object.fromEntries([...used].map((name) => [name, stripped(schemas[name]!)])) },
  };
}

/** A stream's subjects as addresses with parameters; the four reasons become one parameter. */
function addresses(key: string, stream: StreamSpec): { name: string; address: string; schema: string }[] {
  const patterns = new Set(stream.subjects.map((subject) => {
    const tokens = subject.split('.');
    const last = tokens.at(-1)!;
    if ((REASONS as readonly string[]).includes(last) || last === '*') tokens[tokens.length - 1] = '{reason}';
    if (tokens[1] === '*') tokens[1] = '{namespace}';
    return tokens.map((token) => (token === '*' ? '{event}' : token)).join('.');
  }));
  return [...patterns].map((address) => {
    const verb = address.split('.')[2]!;
    const name = patterns.size > 1 ? verb : key;
    return { name, address, schema: verb === 'cancel' ? 'cancel-message' : stream.schema };
  });
}

function parametersOf(address: string): Record<string, unknown> {
  const described: Record<string, unknown> = {
    namespace: { description: 'The team: [a-z0-9-]{1,40}.' },
    reason: { description: 'Why it was escalated.', enum: [...REASONS] },
    event: { description: 'What happened.' },
  };
  return Object.fromEntries([...address.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name!, described[name!]]));
}

/** Inside a document a schema's own `$id` would start a new base for references. */
function stripped({ $id: _id, $schema: _schema, ...schema }: Record<string, unknown>): Record<string, unknown> {
  return schema;
}
