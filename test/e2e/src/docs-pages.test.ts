import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack, topologies } from './stack.ts';

describe.each(topologies)('the reference on the running server, topology %s', (topology) => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await Stack.start(topology);
  });
  afterAll(() => stack.stop());

  const open = async (path: string) => {
    const response = await fetch(`${stack.origin}${path}`);
    return { status: response.status, type: response.headers.get('content-type'), policy: response.headers.get('content-security-policy'), text: await response.text() };
  };

  it('is one document of all services, and every route in it that reads is there', async () => {
    const { status, type, text } = await open('/openapi.json');
    expect([status, type]).toEqual([200, 'application/json; charset=utf-8']);
    const { openapi, paths } = JSON.parse(text);
    expect(openapi).toBe('3.1.0');
    for (const [path, methods] of Object.entries<any>(paths)) {
      if (!methods.get || path.includes('{')) continue;
      const answer = await fetch(`${stack.origin}${path}`, { headers: { authorization: `Bearer ${stack.connection.keys.admin}` }, redirect: 'manual' });
      await answer.body?.cancel();
      const known = answer.status !== 404 || path.startsWith('/session/oidc');
      expect([path, known, answer.status < 500 || path === '/readyz']).toEqual([path, true, true]);
    }
    for (const path of ['/api/escalations', '/hitl/respond', '/webhooks/endpoints', '/policies', '/rejected', '/timers', '/session']) expect(paths).toHaveProperty([path]);
  });

  it('is shown as a page that loads nothing from elsewhere and runs only this origin\'s scripts', async () => {
    const page = await open('/docs');
    expect([page.status, page.type]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.policy).toContain("default-src 'none'; script-src 'self';");
    expect(page.text).not.toMatch(/https?:\/\//);
    const files = [...page.text.matchAll(/(?:src|href)="(\/docs\/files\/[^"]+)"/g)].map((match) => match[1]!);
    expect(files).toEqual(['/docs/files/swagger-ui.css', '/docs/files/swagger-ui-bundle.js', '/docs/files/reference.js']);
    for (const file of files) expect([file, (await open(file)).status]).toEqual([file, 200]);
    expect((await open('/docs/files/package.json')).status).toBe(404);
    expect((await open('/docs/files/..%2Fopenapi.json')).status).toBe(404);
  });

  it('shows what travels over NATS, from the published document', async () => {
    const page = await open('/docs/nats');
    expect([page.status, page.type]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.policy).toContain("default-src 'none'");
    expect(page.policy).not.toContain('unsafe');
    const { channels, components } = JSON.parse((await open('/asyncapi.json')).text);
    for (const { address } of Object.values<any>(channels)) expect(page.text).toContain(`<code>${address}</code>`);
    for (const schema of Object.keys(components.messages)) expect((await open(`/schemas/${schema}.json`)).status).toBe(200);
    expect(page.text).not.toContain('<script');
  });
});
