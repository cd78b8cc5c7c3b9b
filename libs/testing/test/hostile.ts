/** Texts that mean something to somebody on the way: SQL, subjects, headers, paths, templates, pages, prototypes, terminals. */
export const HOSTILE = [
  "'; drop table store.escalations; --", "x' or '1'='1", '$1 {0} %s %n', 'hitl.*.>', 'a.b.>', '*', '>', 'x\r\nSet-Cookie: evil=1', 'x\nX-Injected: 1', '../../etc/passwd', '..', 'a/b?c#d&e=f', '%2e%2e%2f', '%', '+ +',
  '${jndi:ldap://127.0.0.1/x}', '{{constructor.constructor("return 1")()}}', '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '\u202egnp.exe', '\u001b[31mred',
  '~tilde', '~!', '\ufeffbom', '\u2028line', 'null', 'undefined', '-1', '1e999', '[object Object]', '\ud83d\ude00'.repeat(100), ' lead and trail ', 'I\u0307\u0130\u0131', 'a\u0301\u0302\u0303', '\u0001', '\\u0000', '\\', '"', "'", '`', ';', '--', '/*',
] as const;

/** Documents that no reader may trip over, as bytes. */
export const DOCUMENTS: Record<string, Buffer> = {
  'arrays nested deeply': Buffer.from('['.repeat(100_000)),
  'closed arrays nested deeply': Buffer.from(`${'['.repeat(50_000)}${']'.repeat(50_000)}`),
  'objects nested deeply': Buffer.from('{"a":'.repeat(40_000)),
  'a number beyond every double': Buffer.from('{"request_id":"n","alignment_score":1e999999999}'),
  'a number of many digits': Buffer.from(`{"request_id":"n","alignment_score":${'9'.repeat(100_000)}}`),
  'a number with a long exponent': Buffer.from(`{"request_id":"n","alignment_score":1e${'9'.repeat(50_000)}}`),
  'NUL in an id': Buffer.from('{"request_id":"a\\u0000b"}'),
  'NUL as a byte': Buffer.from('{"request_id":"a\u0000b"}'),
  'a lone high surrogate': Buffer.from('{"request_id":"a\\ud800"}'),
  'a lone low surrogate': Buffer.from('{"request_id":"\\udc00a","summary":"\\udc00"}'),
  'bytes that are no UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  'overlong UTF-8': Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
  'a surrogate in UTF-8': Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
  'UTF-16': Buffer.from('\ufeff{"request_id":"x"}', 'utf16le'),
  'a byte order mark': Buffer.from('\ufeff{"request_id":"x"}'),
  'something behind the end': Buffer.from('{"request_id":"x"} {"request_id":"y"}'),
  'the same member often': Buffer.from(`{${'"request_id":"x",'.repeat(5_000)}"request_id":1}`),
  'very many members': Buffer.from(`{${Array.from({ length: 20_000 }, (_, n) => `"k${n}":0`).join(',')}}`),
  'prototypes': Buffer.from('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"request_id":"p"}'),
  'a text': Buffer.from('"x"'), 'a number': Buffer.from('1'), 'null': Buffer.from('null'), 'an empty list': Buffer.from('[]'), 'nothing but spaces': Buffer.from('   '), 'NaN': Buffer.from('{"a":NaN}'), 'a comment': Buffer.from('/**/{}'),
};
