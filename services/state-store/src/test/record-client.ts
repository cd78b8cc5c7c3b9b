/** Brings a namespace's whole export out, page by page, as `umpire audit export` does. @returns its lines */
export async function exportLines(origin: string, key: string, query = ''): Promise<string[]> {
  const lines: string[] = [];
  let path: string | undefined = `/audit/export${query}`;
  while (path !== undefined) {
    const response: Response = await fetch(`${origin}${path}`, { headers: { authorization: `Bearer ${key}` } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    lines.push(...text.split('\n').slice(0, -1));
    path = /<([^>]+)>/.exec(response.headers.get('link') ?? '')?.[1];
  }
  return lines;
}
