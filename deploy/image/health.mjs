/** Whether the service in this container is ready: exit code 0 or 1. It asks the port that probes are on, as the service itself was told it. */
const service = (process.env.UMPIRE_SERVICE ?? '').toUpperCase().replaceAll('-', '_');
const setting = (key) => process.env[`UMPIRE_${service}_${key}`] || process.env[`UMPIRE_${key}`];
const port = setting('INTERNAL_PORT') ?? setting('PORT') ?? '8080';
try {
  const { status } = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(4_000) });
  process.exitCode = status === 200 ? 0 : 1;
} catch {
  process.exitCode = 1;
}
