import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { FastifyInstance } from 'fastify';
import { beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument, tagOf } from './document.ts';
import { declaredModules } from './modules.ts';
import { routesOf, type Route } from './routes.ts';
import { SUMMARIES, TAGS } from './summaries.ts';

const routes = routesOf(declaredModules());
const nameOf = ({ method, path }: Pick<Route, 'method' | 'path'>) => `${method} ${path}`;

describe('the merged OpenAPI document', () => {
  let routed: string[];

  /** Nest's and Fastify's own registration of the same controllers; what they call is not there, and nothing is called. */
  beforeAll(async () => {
    const adapter = new FastifyAdapter();
    routed = [];
    (adapter.getInstance() as unknown as FastifyInstance).addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) if (one !== 'HEAD' && one !== 'OPTIONS') routed.push(`${one.toLowerCase()} ${(url.replace(/:(\w+)/g, '{$1}').replace(/(.)\/$/, '$1'))}`);
    });
    const testing = await Test.createTestingModule({ controllers: declaredModules().flatMap((module) => module.controllers ?? []) }).useMocker(() => ({})).compile();
    const app = testing.createNestApplication<NestFastifyApplication>(adapter, { logger: false });
    await app.init();
    await app.close();
  });

  it('has every route of every controller, as the router knows them, and no other', () => {
    expect(routed.length).toBeGreaterThan(80);
    expect(routes.map(nameOf).sort()).toEqual([...new Set(routed)].filter((route) => !route.endsWith('*')).sort());
  });

  it('is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(structuredClone(openApiDocument(routes)));
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
  });

  it('is what the state store serves: run npm run openapi if not', () => {
    expect(JSON.parse(readFileSync(new URL('../../../state-store/docs/openapi.json', import.meta.url), 'utf8'))).toEqual(JSON.parse(JSON.stringify(openApiDocument(routes))));
  });

  it('says what each route does and for whom, and nothing of routes that are gone', () => {
    expect(routes.map(nameOf).filter((name) => !SUMMARIES[name])).toEqual([]);
    expect(Object.keys(SUMMARIES).filter((name) => !routes.some((route) => nameOf(route) === name))).toEqual([]);
    expect(routes.filter((route) => route.roles.length === 0).map(nameOf)).toEqual([]);
    expect(new Set(routes.map((route) => route.operation)).size).toBe(routes.length);
    for (const { path } of routes) expect(TAGS.map((tag) => tag.name)).toContain(tagOf(path));
  });

  it('refers to nothing that it does not have', () => {
    const document = openApiDocument(routes) as any;
    for (const [, group, name] of JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/([^"/]+)"/g)) expect(document.components[group!]).toHaveProperty([name!]);
  });

  it('tells bodies, queries and parameters as the routes check them', () => {
    const { paths } = openApiDocument(routes) as any;
    expect(paths['/hitl/escalations'].get.parameters.map((one: any) => one.name)).toEqual(expect.arrayContaining(['state', 'reason', 'text', 'after']));
    expect(paths['/webhooks/endpoints'].post.requestBody.content['application/json'].schema).toMatchObject({ required: ['url'], additionalProperties: false });
    expect(paths['/hitl/escalations/{id}/claim'].post).toMatchObject({ parameters: [{ name: 'id', in: 'path' }], security: [{ key: [] }, { session: [] }] });
    expect(paths['/schemas'].get.security).toEqual([]);
    const posts = routes.filter((route) => ['post', 'put', 'patch'].includes(route.method)).map((route) => [nameOf(route), paths[route.path][route.method].requestBody === undefined]);
    // What these do is said by their address alone.
    expect(posts.filter(([, none]) => none).map(([name]) => name)).toEqual([
      'post /audit/checkpoints', 'put /identity/groups/{name}/members/{user_id}', 'post /policies/{id}/disable', 'post /policies/{id}/enable', 'post /policies/{id}/versions/{version}/activate', 'post /rejected/{id}/redrive',
      'post /webhooks/callbacks/rotate', 'post /webhooks/channels/{id}/test', 'post /webhooks/deliveries/{id}/retry', 'post /webhooks/endpoints/{id}/disable', 'post /webhooks/endpoints/{id}/enable',
      'post /webhooks/endpoints/{id}/recover', 'post /webhooks/endpoints/{id}/rotate', 'post /webhooks/endpoints/{id}/test',
    ]);
  });
});
