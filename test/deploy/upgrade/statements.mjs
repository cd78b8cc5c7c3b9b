/**
 * What a server's log (`log_statement = all`, `log_connections = on`, prefix `%m [%p] `) says was asked by the services' roles: one sample of each
 * statement with its parameters, in the order in which they were first asked.
 */
const ENTRY = /^\S+ \S+ \S+ \[(\d+)\] (\w+): {2}/;
const AUTHORIZED = /^connection authorized: user=(\S+)/;
const EXECUTE = /^execute [^:]*: ([\s\S]*)$/;
const SERVICE_ROLE = /^umpire_(?:intake|state_store|notifier|scheduler)$/;
/** What reads or changes rows of ours; not what opens and ends transactions, nor what the driver asks about types. */
const ROWS = /^\s*(?:select|insert|update|delete|with)\b(?!.*\bpg_catalog\b)/is;
/** Longer ones are payloads: a shorter sample of the same statement follows. */
const LONGEST = 20_000;

/** @returns `[{role, text, parameters}]`, each parameter as text or null */
export function statementsOf(log) {
  const found = new Map();
  const users = new Map();
  const lasts = new Map();
  for (const { pid, level, text } of entries(log)) {
    const user = AUTHORIZED.exec(text)?.[1];
    if (user) users.set(pid, user);
    const role = users.get(pid);
    if (role === undefined || !SERVICE_ROLE.test(role)) continue;
    const statement = level === 'LOG' ? EXECUTE.exec(text)?.[1] : undefined;
    if (statement && ROWS.test(statement)) {
      lasts.set(pid, { role, text: statement, parameters: [] });
      if (!/\$\d/.test(statement)) add(found, lasts.get(pid));
    } else if (level === 'DETAIL' && lasts.has(pid)) {
      const last = lasts.get(pid);
      last.parameters = parametersOf(text);
      add(found, last);
      lasts.delete(pid);
    } else if (level === 'LOG') lasts.delete(pid);
  }
  return [...found.values()];
}

function add(found, statement) {
  const key = `${statement.role} ${statement.text}`;
  if (!found.has(key) && JSON.stringify(statement.parameters).length <= LONGEST) found.set(key, statement);
}

/** Continued lines begin with a tab. */
function* entries(log) {
  let entry;
  for (const line of log.split('\n')) {
    const match = ENTRY.exec(line);
    if (match) {
      if (entry) yield entry;
      entry = { pid: match[1], level: match[2], text: line.slice(match[0].length) };
    } else if (entry && line.startsWith('\t')) entry.text += `\n${line.slice(1)}`;
    else if (entry) {
      yield entry;
      entry = undefined;
    }
  }
  if (entry) yield entry;
}

/** `parameters: $1 = 'a''b', $2 = NULL` */
function parametersOf(text) {
  const parameters = [];
  for (const [, quoted] of text.matchAll(/\$\d+ = (?:NULL|'((?:[^']|'')*)')/g)) parameters.push(quoted === undefined ? null : quoted.replaceAll("''", "'"));
  return parameters;
}
