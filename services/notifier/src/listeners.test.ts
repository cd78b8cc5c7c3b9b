import { describe, expect, it } from 'vitest';
import type { Destinations } from './destinations.queries.ts';
import { Listeners } from './listeners.ts';

const nobody: Destinations = { endpoints: [], callbackHosts: [], channels: false };
const host: Destinations = { ...nobody, callbackHosts: ['example.org'] };
const channel: Destinations = { ...nobody, channels: true };

describe('a rest between batches', () => {
  it.each<[string, [string, Destinations][][], boolean]>([
    ['before anything is known', [], true],
    ['where nobody listens', [[['a', nobody]]], true],
    ['where callbacks may go somewhere', [[['a', host]]], false],
    ['where a person has a channel', [[['a', channel]]], false],
    ['after a batch that tells nobody of anything, since the next one may', [[['a', host]], []], false],
    ['where somebody listens in another namespace, however busy this one is', [[['b', host]], [['a', nobody]], [['a', nobody]]], false],
    ['where the last one has left', [[['a', host]], [['a', nobody]]], true],
    ['where one has left and another has not', [[['a', host], ['b', channel]], [['a', nobody]]], false],
  ])('%s', (_when, batches, rests) => {
    const listeners = new Listeners();
    for (const batch of batches) listeners.note(new Map(batch));
    expect(listeners.restMs).toBe(rests ? 50 : 0);
  });
});
