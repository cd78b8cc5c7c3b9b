type Channel = { address: string; description?: string; parameters?: Record<string, { description?: string; enum?: string[] }> };
type Operation = { action: 'send' | 'receive'; channel: { $ref: string }; messages: { $ref: string }[] };
type AsyncApi = { info: { title: string; description: string }; channels: Record<string, Channel>; operations: Record<string, Operation>; components: { schemas: Record<string, unknown> } };

/** The AsyncAPI document as a page for people: a section for each thing that a producer may send or receive. */
export function natsPage(document: Record<string, unknown>): string {
  const { info, channels, operations, components } = document as AsyncApi;
  const sections = Object.values(operations).map((operation) => section(operation, channels, components.schemas));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(info.title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/files/docs.css">
</head>
<body>
<h1>${escape(info.title)}</h1>
<p>${escape(info.description)} For machines: <a href="/asyncapi.json">asyncapi.json</a>. Over HTTP: <a href="/docs">the reference</a>.</p>
${sections.join('\n')}
</body>
</html>
`;
}

function section({ action, channel: { $ref }, messages }: Operation, channels: Record<string, Channel>, schemas: Record<string, unknown>): string {
  const name = lastOf($ref);
  const { address, description = '', parameters = {} } = channels[name]!;
  const terms = Object.entries(parameters).map(([term, { description: text = '', enum: values }]) => `<dt><code>${escape(term)}</code></dt><dd>${escape(text)}${values ? ` One of ${values.map((value) => `<code>${escape(value)}</code>`).join(', ')}.` : ''}</dd>`);
  const bodies = messages.map((message) => {
    const schema = lastOf(message.$ref);
    return `<details><summary><a href="/schemas/${escape(schema)}.json">${escape(schema)}</a></summary><pre>${escape(JSON.stringify(schemas[schema], null, 2))}</pre></details>`;
  });
  return `<h2 id="${escape(name)}">${action === 'send' ? 'Send' : 'Receive'}: ${escape(name.replaceAll('_', ' '))}</h2>
<p><code>${escape(address)}</code></p>
<p>${escape(description)}</p>
<dl>${terms.join('')}</dl>
${bodies.join('\n')}`;
}

const lastOf = (ref: string): string => ref.split('/').at(-1)!;
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);
