import { UmpireError } from '@umpire/contract';
import { describe, expect, it } from 'vitest';
import { faultOf, isAboutContent } from './batch-faults.ts';

const away = Object.assign(new Error('connect'), { code: 'CONNECT_TIMEOUT' });
const gone = new UmpireError('unavailable', 'the store does not answer');
const tooLong = Object.assign(new Error('value too long'), { code: '22001' });
const refused = new UmpireError('invalid', 'no such request');

const ok: PromiseSettledResult<void> = { status: 'fulfilled', value: undefined };
const failed = (reason: unknown): PromiseSettledResult<void> => ({ status: 'rejected', reason });

describe('what keeps a batch from being done', () => {
  it.each([
    ['nothing', [ok, ok], undefined],
    ['one part', [ok, failed(tooLong)], tooLong],
    ['what is away, before what is about content', [failed(tooLong), failed(away)], away],
    ['what is away, whichever part', [failed(gone), failed(refused)], gone],
    ['the first of equals', [failed(refused), failed(tooLong)], refused],
  ])('%s', (_name, parts, fault) => {
    expect(faultOf(parts)).toBe(fault);
  });

  it('a part that fails without saying why is not done, and counts as away', () => {
    for (const parts of [[failed(undefined)], [failed(tooLong), failed(null)]]) expect(faultOf(parts)).toMatchObject({ message: 'failed without an error' });
  });

  it('tells what an event holds from what is away', () => {
    expect([away, gone, tooLong, refused, null, undefined, 'text'].map(isAboutContent)).toEqual([false, false, true, true, false, false, false]);
  });
});
