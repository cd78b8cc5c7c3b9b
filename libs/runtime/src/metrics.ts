import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export type { Counter, Gauge, Histogram };

/** Named here, so that packages which only use metrics need not know the library. */
export interface CounterMetric extends Counter {}
export interface GaugeMetric extends Gauge {}
export interface HistogramMetric extends Histogram {}

/** One registry a process: in all-in-one the four services share it, each metric named by its service's prefix. */
export const metrics = new Registry();
let defaults = false;

export function startDefaultMetrics(): void {
  if (defaults) return;
  defaults = true;
  collectDefaultMetrics({ register: metrics });
}

/** @returns the counter of that name, made at the first call. */
export function counter(name: string, help: string, labelNames: string[] = []): CounterMetric {
  return (metrics.getSingleMetric(name) as Counter | undefined) ?? new Counter({ name, help, labelNames, registers: [metrics] });
}

export function gauge(name: string, help: string, labelNames: string[] = []): GaugeMetric {
  return (metrics.getSingleMetric(name) as Gauge | undefined) ?? new Gauge({ name, help, labelNames, registers: [metrics] });
}

/** @param buckets upper bounds in seconds */
export function histogram(name: string, help: string, labelNames: string[] = [], buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]): HistogramMetric {
  return (metrics.getSingleMetric(name) as Histogram | undefined) ?? new Histogram({ name, help, labelNames, buckets, registers: [metrics] });
}
