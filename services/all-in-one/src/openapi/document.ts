import { publishedSchemas } from '@umpire/contract';
import type { Route } from './routes.ts';
import { ANSWERED, SUMMARIES, TAGS } from './summaries.ts';

type Json = Record<string, unknown>;

/** Bodies that a route reads by itself, so that its decorators do not say. */
const BODIES: Readonly<Record<string, Json>> = {
  'post /api/escalations': ref('review-message'),
  'post /policies': { type: 'object', description: 'A policy: docs/policies.md. YAML is taken as well (application/yaml).' },
  'post /policies/replay': { type: 'object', description: 'A policy document that is in force nowhere.' },
  'post /policies/simulate': { type: 'object', description: 'A message as a producer would send it, or a policy and past escalations to try it on.' },
  'post /hitl/respond': {
    type: 'object', required: ['interaction_id', 'user_input'],
    properties: {
      interaction_id: { type: 'string', minLength: 1, maxLength: 512 }, user_input: { type: 'object' }, user_id: { type: ['string', 'null'], maxLength: 256 },
      revision: { type: 'integer', minimum: 1, description: 'The revision that was shown; a newer one refuses the answer.' },
    },
  },
};

/** What is answered where it has a published schema. */
const ANSWERS: Readonly<Record<string, Json>> = {
  'post /api/escalations': ref('verdict'),
};

/** Served beside the controllers' routes. */
const PROBES: Readonly<Record<string, string>> = {
  '/healthz': 'The process lives', '/readyz': 'Its servers answer', '/metrics': 'Prometheus metrics',
};

/** The OpenAPI 3.1 document of all services together, at their one origin. */
export function openApiDocument(routes: Route[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operationOf(route);
  for (const [path, summary] of Object.entries(PROBES)) {
    paths[path] = { get: { summary, operationId: `Probes_${path.slice(1)}`, tags: ['Probes'], security: [], description: 'In production on a port of its own.', responses: { 200: { description: summary } } } };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Umpire', version: '1.0.0', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: 'AI agents and pipelines escalate; people decide; the outcome comes back once, on time, signed and on record. Over NATS: [/docs/nats](/docs/nats). Ids in paths are percent-encoded, or `~` and their base64url.',
    },
    servers: [{ url: '/' }],
    tags: TAGS.map(({ name, description }) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'An API key (`umk_…`) or a JWT.' },
        session: { type: 'apiKey', in: 'cookie', name: 'umpire_session', description: 'Of `POST /session`; from its own pages only.' },
      },
      schemas: Object.fromEntries(Object.entries(publishedSchemas()).map(([name, { $id: _id, $schema: _dialect, ...schema }]) => [name, schema])),
      responses: { Problem: { description: 'What is wrong, as RFC 9457 says it; `errors` names every field at fault', content: { 'application/problem+json': { schema: ref('problem') } } } },
    },
  };
}

function operationOf(route: Route): Json {
  const key = `${route.method} ${route.path}`;
  const body = BODIES[key] ?? route.body;
  const open = route.roles.includes('public');
  const answer = ANSWERS[key];
  return {
    operationId: route.operation,
    summary: SUMMARIES[key] ?? '',
    tags: [tagOf(route.path)],
    ...(open ? { security: [] } : { description: `For ${route.roles.join(', ')}.`, security: [{ key: [] }, { session: [] }] }),
    ...(route.params.length + route.query.length === 0 ? {} : {
      parameters: [
        ...route.params.map(({ name, schema }) => ({ name, in: 'path', required: true, schema })),
        ...route.query.map(({ name, required, schema }) => ({ name, in: 'query', required, schema })),
      ],
    }),
    ...(body === null ? {} : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      [route.status]: { description: route.status === 204 ? 'Done' : route.status === 202 ? 'Taken' : (ANSWERED[key] ?? 'The answer'), ...(answer ? { content: { 'application/json': { schema: answer } } } : {}) },
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

export function tagOf(path: string): string {
  return TAGS.find(({ prefixes }) => prefixes.some((prefix) => path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`)))?.name ?? 'Pages';
}

function ref(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}
