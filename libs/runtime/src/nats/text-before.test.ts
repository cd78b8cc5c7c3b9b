import { describe, expect, it } from 'vitest';
import { objectBefore, textBefore } from './text-before.ts';

const BAD = Buffer.from([0xff]);

describe('what stands before a member', () => {
  it.each([
    ['a head', '{"id":1,"data":{"x":2}}', '{"id":1'],
    ['the first of two', '{"id":1,"data":2,"data":3}', '{"id":1'],
    ['letters beyond ASCII', '{"id":"Übung 審査 😀","data":1}', '{"id":"Übung 審査 😀"'],
    ['nothing, at the very beginning', ',"data":1', ''],
    ['no such member', '{"id":1,"dates":{}}', null],
    ['its name in a string only', '{"id":",\\"data\\":"}', null],
    ['nothing at all', '', null],
  ])('%s', (_name, text, expected) => {
    expect(textBefore(Buffer.from(text), 'data')).toBe(expected);
    // As a part of a larger buffer, as a client hands messages on.
    const around = Buffer.concat([Buffer.from('{"other":1,"data":'), Buffer.from(text), Buffer.from(',"data":')]);
    expect(textBefore(around.subarray(18, around.length - 8), 'data')).toBe(expected);
  });

  it('looks at nothing behind it, and refuses what is no UTF-8 before it, each time anew', () => {
    const behind = Buffer.concat([Buffer.from('{"id":1,"data":"'), BAD, Buffer.from('"}')]);
    const before = Buffer.concat([Buffer.from('{"id":"'), BAD, Buffer.from('","data":1}')]);
    for (let round = 0; round < 2; round++) {
      expect(textBefore(behind, 'data')).toBe('{"id":1');
      expect(() => textBefore(before, 'data')).toThrow(TypeError);
    }
  });
});

describe('the object that stands before a member', () => {
  it.each([
    ['as it is written here', '{"id":1,"data":{"x":2}}', { id: 1 }],
    ['whatever comes behind', '{"id":1,"data":', { id: 1 }],
    ['none', '{"id":1}', null],
    ['not the first level', '{"at":{"id":1,"data":2}}', null],
    ['no object', '[1,"data":2]', null],
    ['no JSON', '{"id":,"data":2}', null],
  ])('%s', (_name, text, expected) => {
    expect(objectBefore(Buffer.from(text), 'data')).toEqual(expected);
  });

  it('is none where that is no UTF-8', () => {
    expect(objectBefore(Buffer.concat([Buffer.from('{"id":"'), BAD, Buffer.from('","data":1}')]), 'data')).toBeNull();
  });
});
