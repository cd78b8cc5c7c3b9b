import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Registry } from './registry.ts';

describe('a registry', () => {
  it('answers as a map would', () => {
    const names = fc.constantFrom('a', 'b', '7', '__proto__', 'constructor', '');
    const step = fc.oneof(fc.tuple(fc.constant('set'), names, fc.integer()), fc.tuple(fc.constant('delete'), names, fc.constant(0)), fc.tuple(fc.constant('clear'), fc.constant(''), fc.constant(0)));
    fc.assert(fc.property(fc.array(step), (steps) => {
      const registry = new Registry<number>();
      const map = new Map<string, number>();
      for (const [what, name, value] of steps) {
        if (what === 'set') {
          registry.set(name, value);
          map.set(name, value);
        } else if (what === 'delete') expect(registry.delete(name)).toBe(map.delete(name));
        else {
          registry.clear();
          map.clear();
        }
        expect(registry.size).toBe(map.size);
        expect([registry.get(name), registry.has(name)]).toEqual([map.get(name), map.has(name)]);
      }
      expect(new Map(registry.entries())).toEqual(map);
    }));
  });

  it('gives its entries in the order of coming', () => {
    const registry = new Registry<number>();
    for (const name of ['p9', 'pa', 'p10', 'pz']) registry.set(name, 1);
    registry.delete('pa');
    registry.set('pa', 2);
    expect(registry.entries().map(([name]) => name)).toEqual(['p9', 'p10', 'pz', 'pa']);
  });
});
