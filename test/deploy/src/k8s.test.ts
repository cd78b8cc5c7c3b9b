import { durableConsumers, parseNamespaces, SERVICES, STREAMS, type ServiceName } from '@umpire/contract';
import { EXIT } from '@umpire/cli';
import { STOP_WITHIN_MS } from '@umpire/runtime';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../../../deploy/local/gateway.mjs';
import { render, root, type Manifest } from './kustomize.ts';
import { faultsByModel, faultsByType } from './models.ts';
import { operate, readAs, variablesOf } from './settings.ts';

const OVERLAYS = ['dev', 'prod'] as const;
const rendered = new Map<string, Manifest[]>();
beforeAll(async () => {
  for (const overlay of OVERLAYS) rendered.set(overlay, await render(`overlays/${overlay}`));
}, 120_000);

const ofKind = (overlay: string, kind: string) => rendered.get(overlay)!.filter((manifest) => manifest.kind === kind);
const named = (overlay: string, kind: string, name: string) => ofKind(overlay, kind).find(({ metadata }) => metadata.name === name)!;
const isService = (name: string): name is ServiceName => (SERVICES as readonly string[]).includes(name);
const podOf = (workload: Manifest) => workload['spec'].template.spec;
const workloads = (overlay: string) => ['Deployment', 'StatefulSet', 'Job'].flatMap((kind) => ofKind(overlay, kind));

/** What a container is given, with Secrets' values where the overlay brings them. */
function environmentOf(overlay: string, container: any): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { configMapRef } of container.envFrom ?? []) Object.assign(env, named(overlay, 'ConfigMap', configMapRef.name)['data']);
  for (const { name, value, valueFrom } of container.env ?? []) {
    const reference = valueFrom?.secretKeyRef;
    const secret = reference && named(overlay, 'Secret', reference.name);
    const kept = secret?.data?.[reference.key];
    if (reference && secret && kept === undefined && !reference.optional) throw new Error(`secret ${reference.name} has no ${reference.key}`);
    if (reference?.optional && kept === undefined) continue;
    env[name] = value ?? (kept === undefined ? STAND_INS.find(([key]) => key.test(name))![1] : Buffer.from(kept, 'base64').toString());
  }
  return env;
}

/** Renders the base with components, as an overlay of somebody's own would. */
async function renderWith(...components: string[]): Promise<Manifest[]> {
  const folder = join(root, 'test/deploy/node_modules/.overlays', components.join('-'));
  await mkdir(folder, { recursive: true });
  const from = (path: string) => relative(folder, join(root, 'deploy/k8s', path));
  const kustomization = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', namespace: 'umpire', resources: [from('base')], components: components.map((name) => from(`components/${name}`)) };
  await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
  return render(relative(join(root, 'deploy/k8s'), folder));
}

/** For Secrets that only the operator has. */
const STAND_INS: [RegExp, string][] = [[/POSTGRES(_ADMIN)?_URL$/, 'postgres://user:password@127.0.0.1:1/umpire'], [/SECRET_KEY$/, Buffer.alloc(32, 7).toString('base64')], [/./, 'stand-in-password']];

it('there are the overlays that are looked at here, and no others', async () => {
  expect((await readdir(join(root, 'deploy/k8s/overlays'))).sort()).toEqual([...OVERLAYS]);
});

describe.each(OVERLAYS)('the overlay %s', (overlay) => {
  it('is made of objects that fit their models, to the last field', async () => {
    expect(await faultsByModel(rendered.get(overlay)!)).toEqual([]);
    expect(await faultsByType(overlay, rendered.get(overlay)!)).toEqual([]);
  }, 120_000);

  it('has everything in one namespace, and each name once', () => {
    const names = rendered.get(overlay)!.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(rendered.get(overlay)!.filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== 'umpire').map(({ kind }) => kind)).toEqual([]);
  });

  it.each(SERVICES)('gives %s an environment that its own reader takes, and nothing that nobody reads', (service) => {
    const env = environmentOf(overlay, podOf(named(overlay, 'Deployment', service)).containers[0]);
    const { fault, config } = readAs(service, env);
    expect(fault).toBeNull();
    expect(config).toMatchObject({ host: '0.0.0.0', natsUser: service });
    const known = new Set(SERVICES.flatMap((name) => [...variablesOf(name)]));
    expect(Object.keys(env).filter((name) => !known.has(name))).toEqual([]);
    // Its own variables are its own reader's.
    expect(Object.keys(env).filter((name) => SERVICES.some((other) => other !== service && name.startsWith(`UMPIRE_${other.toUpperCase().replaceAll('-', '_')}_`)))).toEqual([]);
  });

  it.each(SERVICES)('gives %s ports, probes and a Service that meet', (service) => {
    const pod = podOf(named(overlay, 'Deployment', service));
    const [container] = pod.containers;
    expect(container.args).toEqual([service]);
    const { config } = readAs(service, environmentOf(overlay, container));
    expect(container.ports).toEqual([{ name: 'http', containerPort: config.port }, { name: 'internal', containerPort: config.internalPort }]);
    for (const { port, targetPort } of named(overlay, 'Service', service)['spec'].ports) expect(container.ports).toContainEqual({ name: targetPort, containerPort: port });
    const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe].map(({ httpGet }) => [httpGet.path, httpGet.port]);
    expect(probes).toEqual([['/healthz', 'internal'], ['/readyz', 'internal'], ['/healthz', 'internal']]);
    // A readiness check has two seconds for each server.
    expect(container.readinessProbe.timeoutSeconds).toBeGreaterThan(2);
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(container.lifecycle.preStop.sleep.seconds * 1000 + STOP_WITHIN_MS);
    expect(named(overlay, 'PodDisruptionBudget', service)['spec'].selector.matchLabels).toEqual({ 'app.kubernetes.io/name': service });
    expect(pod.topologySpreadConstraints).toHaveLength(2);
  });

  it('gives every Job what its command needs', async () => {
    const known = new Set(SERVICES.flatMap((name) => [...variablesOf(name)]));
    for (const job of ofKind(overlay, 'Job')) {
      const [container] = podOf(job).containers;
      const [program, ...argv] = container.args;
      expect(program).toBe('umpire');
      const env = environmentOf(overlay, container);
      // Its servers are elsewhere: nobody there, and a pod it is not. Never that it does not understand.
      const away = { ...env, UMPIRE_POSTGRES_ADMIN_URL: 'postgres://owner:password@127.0.0.1:1/umpire', UMPIRE_NATS_URL: 'nats://127.0.0.1:1', UMPIRE_POSTGRES_TLS_CA: '', UMPIRE_NATS_TLS_CA: '' };
      const { looked, exit, err } = await operate(argv, away);
      expect({ job: job.metadata.name, exit, err }).not.toMatchObject({ exit: EXIT.usage });
      expect([EXIT.unreachable, EXIT.refused]).toContain(exit);
      expect(Object.keys(env).filter((name) => name.startsWith('UMPIRE_') && !looked.has(name) && !known.has(name))).toEqual([]);
    }
  }, 60_000);

  it('runs every container as nobody in particular, on a file system that it cannot write', () => {
    for (const workload of workloads(overlay)) {
      const pod = podOf(workload);
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(pod.securityContext.runAsUser).toBeGreaterThan(0);
      for (const container of pod.containers) {
        expect(container.securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
        expect(container.resources.requests).toMatchObject({ cpu: expect.any(String), memory: expect.any(String) });
        expect(container.resources.limits).toMatchObject({ memory: expect.any(String) });
        expect(container.image).toMatch(/:[\w.-]+$/);
      }
      const account = named(overlay, 'ServiceAccount', pod.serviceAccountName);
      const token = pod.automountServiceAccountToken ?? account?.['automountServiceAccountToken'] ?? true;
      expect([workload.metadata.name, token]).toEqual([workload.metadata.name, workload.metadata.name === 'first-key']);
    }
  });

  it('mounts and refers to what is there', () => {
    for (const workload of workloads(overlay)) {
      const pod = podOf(workload);
      const volumes = new Set([...(pod.volumes ?? []), ...(workload['spec'].volumeClaimTemplates ?? []).map(({ metadata }: Manifest) => metadata)].map(({ name }: { name: string }) => name));
      for (const { volumeMounts = [] } of pod.containers) for (const { name } of volumeMounts) expect(volumes).toContain(name);
      for (const { configMap } of pod.volumes ?? []) if (configMap && !configMap.optional) expect(named(overlay, 'ConfigMap', configMap.name)).toBeDefined();
      if (overlay === 'dev') for (const { env = [] } of pod.containers) for (const { valueFrom } of env) if (valueFrom?.secretKeyRef) expect(named(overlay, 'Secret', valueFrom.secretKeyRef.name)).toBeDefined();
    }
  });

  it('lets the first-key Job read and patch its one Secret, and nobody anything else', () => {
    expect(ofKind(overlay, 'Role').map((role) => role['rules'])).toEqual([[{ apiGroups: [''], resources: ['secrets'], resourceNames: ['umpire-admin'], verbs: ['get', 'patch'] }]]);
    expect(ofKind(overlay, 'ClusterRole')).toEqual([]);
    expect(ofKind(overlay, 'RoleBinding').map((binding) => binding['subjects'].map(({ name }: { name: string }) => name))).toEqual([['first-key']]);
  });

  it('leads each path to the service that the local gateway leads it to', () => {
    const paths = named(overlay, 'Ingress', 'umpire')['spec'].rules[0].http.paths.map(({ path, pathType, backend }: any) => [path, pathType, backend.service.name, backend.service.port.name]);
    expect(paths).toEqual([...ROUTES.map(([path, service]) => [path, 'Prefix', service, 'http']), ['/', 'Prefix', 'state-store', 'http']]);
  });
});

/** Which workloads a policy is about: those whose names it lists. */
const subjectsOf = (policy: Manifest): string[] => policy['spec'].podSelector.matchExpressions?.[0].values ?? [];

describe('the arrows of the network policies', () => {
  it.each(OVERLAYS)('are those of the design, in %s', (overlay) => {
    const wantsRedis = SERVICES.filter((service) => variablesOf(service).has('UMPIRE_REDIS_URL'));
    const jobs = ofKind(overlay, 'Job').map(({ metadata }) => metadata.name);
    const arrows = Object.fromEntries(ofKind(overlay, 'NetworkPolicy').filter(({ metadata }) => metadata.name.startsWith('to-')).map((policy) => [
      policy.metadata.name, { who: subjectsOf(policy).sort(), ports: policy['spec'].egress.flatMap(({ ports }: any) => ports.map(({ port }: any) => port)) },
    ]));
    expect(arrows).toEqual({
      'to-nats': { who: [...SERVICES, ...jobs.filter((job) => job === 'topology')].sort(), ports: [4222] },
      // Elsewhere than in dev: PgBouncer, and a managed Redis with TLS.
      'to-postgres': { who: [...SERVICES, 'migrate', 'first-key'].sort(), ports: overlay === 'prod' ? [5432, 6432] : [5432] },
      'to-redis': { who: wantsRedis, ports: overlay === 'prod' ? [6379, 6380] : [6379] },
      // Webhooks, chat and mail leave from the notifier alone; keys of a tokens' issuer are fetched by whoever has the setting for it.
      'to-receivers': { who: ['notifier'], ports: [443, 465, 587] },
      'to-issuer': { who: SERVICES.filter((service) => variablesOf(service).has('UMPIRE_JWT_JWKS_URL')), ports: [443] },
      'to-cluster': { who: ['first-key'], ports: [443, 6443] },
    });
    const ingress = ofKind(overlay, 'NetworkPolicy').filter(({ metadata }) => metadata.name.startsWith('from-') && isService(subjectsOf(named(overlay, 'NetworkPolicy', metadata.name))[0] ?? ''));
    expect(ingress.map((policy) => [policy.metadata.name, subjectsOf(policy), policy['spec'].ingress[0].ports]).sort()).toEqual([
      ['from-ingress', [...SERVICES], [{ port: 'http' }]], ['from-monitoring', [...SERVICES], [{ port: 'internal' }]],
    ]);
    expect(named(overlay, 'NetworkPolicy', 'nothing-else')['spec']).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  });

  it('meet at the servers of dev', () => {
    for (const server of ['nats', 'postgres', 'redis']) {
      const [rule] = named('dev', 'NetworkPolicy', server)['spec'].ingress;
      const { who, ports } = { who: subjectsOf(named('dev', 'NetworkPolicy', `to-${server}`)), ports: named('dev', 'NetworkPolicy', `to-${server}`)['spec'].egress[0].ports };
      expect(rule.from[0].podSelector.matchExpressions[0].values.sort()).toEqual(who.sort());
      expect(rule.ports).toEqual(ports);
      const pod = ['Deployment', 'StatefulSet'].map((kind) => named('dev', kind, server)).find(Boolean)!;
      expect(pod['spec'].template.metadata.labels).toMatchObject({ 'umpire.io/server': server });
      expect(podOf(pod).containers[0].ports.map(({ containerPort }: any) => containerPort)).toContain(ports[0].port);
    }
  });
});

describe('autoscaling and monitoring in prod', () => {
  it('scale by consumers that the topology makes', () => {
    const parsed = parseNamespaces(ofKind('prod', 'ConfigMap').find(({ metadata }) => metadata.name.startsWith('umpire-settings'))!['data'].UMPIRE_NAMESPACES);
    const known = durableConsumers(parsed.ok ? parsed.namespaces : {}).map(({ stream, name }) => `${stream} ${name}`);
    const scaled = ofKind('prod', 'ScaledObject').flatMap((object) => object['spec'].triggers.map(({ metadata }: any) => [object['spec'].scaleTargetRef.name, `${metadata.stream} ${metadata.consumer}`]));
    const readBy = Object.fromEntries(durableConsumers(parsed.ok ? parsed.namespaces : {}).map(({ stream, name, reader }) => [`${stream} ${name}`, reader]));
    const { host } = new URL(ofKind('prod', 'ConfigMap').find(({ metadata }) => metadata.name.startsWith('umpire-settings'))!['data'].UMPIRE_NATS_URL.replace('tls:', 'http:'));
    const asked = ofKind('prod', 'ScaledObject').flatMap((object) => object['spec'].triggers.map(({ metadata }: any) => metadata.natsServerMonitoringEndpoint.split(':')[0]));
    expect(new Set(asked)).toEqual(new Set([host.split(':')[0]]));
    for (const [target, consumer] of scaled) expect([consumer, readBy[consumer]]).toEqual([consumer, target]);
    expect(scaled.map(([, consumer]) => consumer).sort()).toEqual(known.filter((consumer) => !consumer.startsWith(STREAMS.outcomes.name)).sort());
  });

  it('leave the number of replicas to one autoscaler each', () => {
    const targets = [...ofKind('prod', 'HorizontalPodAutoscaler'), ...ofKind('prod', 'ScaledObject')].map((object) => object['spec'].scaleTargetRef.name);
    expect(targets.sort()).toEqual([...SERVICES].sort());
    for (const service of SERVICES) expect(named('prod', 'Deployment', service)['spec'].replicas).toBeUndefined();
  });

  it('scrape the port that probes and metrics are on, by names that the Services carry', () => {
    const { selector, endpoints, jobLabel } = named('prod', 'ServiceMonitor', 'umpire')['spec'];
    const down = named('prod', 'PrometheusRule', 'umpire')['spec'].groups.flatMap((group: any) => group.rules).find((rule: any) => rule.alert === 'UmpireDown').expr;
    const job = new RegExp(`^(?:${/job=~"([^"]+)"/.exec(down)![1]})$`);
    // The rules' `namespace` is the product's, not the cluster's.
    expect(endpoints.map((endpoint: any) => endpoint.honorLabels)).toEqual([true]);
    for (const service of SERVICES) {
      const found = named('prod', 'Service', service);
      expect(selector.matchExpressions[0].values).toContain(found.metadata.labels!['app.kubernetes.io/name']);
      expect(found.metadata.labels![jobLabel]).toMatch(job);
      expect(found['spec'].ports.map(({ name }: any) => name)).toContain(endpoints[0].port);
    }
  });

  it('have TLS for the host that the Ingress answers for', () => {
    const ingress = named('prod', 'Ingress', 'umpire')['spec'];
    const certificate = named('prod', 'Certificate', 'umpire')['spec'];
    expect(ingress.tls).toEqual([{ hosts: [ingress.rules[0].host], secretName: certificate.secretName }]);
    expect(certificate.dnsNames).toEqual([ingress.rules[0].host]);
  });
});

describe('components by themselves', () => {
  it('keda, without hpa, takes the number of replicas of what it scales, and of nothing else', async () => {
    const manifests = await renderWith('keda');
    const scaled = manifests.filter(({ kind }) => kind === 'ScaledObject').map((object) => object['spec'].scaleTargetRef.name).sort();
    const unnumbered = manifests.filter(({ kind, spec }) => kind === 'Deployment' && spec.replicas === undefined).map(({ metadata }) => metadata.name).sort();
    expect(unnumbered).toEqual(scaled);
    expect(scaled).toEqual(SERVICES.filter((service) => service !== 'state-store').sort());
    expect(await faultsByModel(manifests)).toEqual([]);
  }, 60_000);

  it('tracing leads every service, and only services, to the collector that their settings name', async () => {
    const manifests = await renderWith('tracing');
    expect(await faultsByModel(manifests)).toEqual([]);
    expect(await faultsByType('tracing', manifests)).toEqual([]);
    const settings = manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('umpire-settings'))!;
    const { hostname, port } = new URL(settings['data'].OTEL_EXPORTER_OTLP_ENDPOINT);
    const policy = manifests.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'to-collector')!;
    expect(subjectsOf(policy).sort()).toEqual([...SERVICES].sort());
    const [{ to, ports }] = policy['spec'].egress;
    expect(to).toEqual([{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': hostname.split('.')[1] } } }]);
    expect(ports).toEqual([{ port: 4317 }, { port: 4318 }]);
    expect(ports).toContainEqual({ port: Number(port) });
    for (const { spec } of manifests.filter(({ kind }) => kind === 'Deployment')) expect(spec.template.spec.containers[0].envFrom).toContainEqual({ configMapRef: { name: settings.metadata.name } });
  }, 120_000);

  it('prod puts its own address before each alert\'s section of the runbook, and keeps the object that names it', () => {
    const rules = named('prod', 'PrometheusRule', 'umpire')['spec'].groups.flatMap((group: any) => group.rules);
    expect(rules.length).toBeGreaterThan(10);
    expect(rules.map((rule: any) => rule.annotations.runbook_url)).toEqual(rules.map((rule: any) => `https://runbooks.example/umpire/runbook.md#${rule.alert.toLowerCase()}`));
    expect(named('prod', 'ConfigMap', 'names')).toBeUndefined();
  });
});

describe('the order that deploy/README.md gives', () => {
  /** Whether `key notin (…)` takes an object: one without the label, too. */
  const takes = (values: string[], manifest: Manifest) => !values.includes(manifest.metadata.labels?.['app.kubernetes.io/name'] ?? '');

  it.each(OVERLAYS)('applies all that a migration needs before any service, in %s', async (overlay) => {
    const readme = await readFile(join(root, 'deploy/README.md'), 'utf8');
    const values = /-l 'app\.kubernetes\.io\/name notin \(([^)]+)\)'/.exec(readme)![1]!.split(',');
    const first = rendered.get(overlay)!.filter((manifest) => takes(values, manifest));
    const later = rendered.get(overlay)!.filter((manifest) => !takes(values, manifest));
    expect(later.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([...SERVICES.flatMap((name) => [`Deployment ${name}`, `Service ${name}`]), 'Job first-key'].sort());
    const has = new Set(first.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
    for (const job of first.filter(({ kind }) => kind === 'Job')) {
      const pod = podOf(job);
      expect(has).toContain(`ServiceAccount ${pod.serviceAccountName}`);
      for (const { configMapRef } of pod.containers[0].envFrom) expect(has).toContain(`ConfigMap ${configMapRef.name}`);
    }
    expect(has).toContain('Job migrate');
    expect(has).toContain('NetworkPolicy to-postgres');
    // What waits for them waits for every one, and whoever comes back deletes every one.
    for (const job of ofKind(overlay, 'Job')) expect(/kubectl delete job [^\n]*/.exec(readme)![0]).toContain(job.metadata.name);
  });
});

describe('the validation itself', () => {
  const broken = (change: (deployment: any) => void) => {
    const copy = structuredClone(named('dev', 'Deployment', 'intake'));
    change(copy);
    return [copy];
  };

  it('finds a field that does not exist, and a value of the wrong type', async () => {
    const misspelt = broken((deployment) => { deployment.spec.template.spec.containers[0].readOnlyRootFilesytem = true; });
    expect(await faultsByType('misspelt', misspelt)).toEqual([expect.stringContaining('readOnlyRootFilesytem')]);
    expect(await faultsByModel(broken((deployment) => { deployment.spec.replicas = 'two'; }))).toEqual([expect.stringContaining('replicas')]);
  }, 60_000);
});
