import { parser } from '@prometheus-io/lezer-promql';

const METRIC = 'Identifier';

/**
 * The metrics that an expression reads, by Prometheus' own grammar.
 * @throws Error where it is not PromQL
 */
export function metricsOf(expression: string): string[] {
  const names = new Set<string>();
  parser.parse(expression).iterate({
    enter: (node) => {
      if (node.type.isError) throw new Error(`not PromQL at ${node.from}: ${expression}`);
      if (node.name === METRIC && node.node.parent?.name === 'VectorSelector') names.add(expression.slice(node.from, node.to));
    },
  });
  return [...names];
}

/** What Grafana puts in before it asks. */
export const filledIn = (expression: string): string => expression.replaceAll('$__rate_interval', '1m').replaceAll('$namespace', '.*');

/** Sums of samples by name, as `/metrics` tells them; a histogram counts by its observations. */
export function sampleSums(text: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{[^}]*\})? (\S+)$/.exec(line);
    if (match) sums.set(match[1]!, (sums.get(match[1]!) ?? 0) + Number(match[2]));
  }
  return sums;
}
