import { useState } from 'react';

const FIRST = 100;

/** Any JSON as people read it: names and values, what is deep or long folded. Text stays text. */
export function Tree({ value, depth = 0 }: { value: unknown; depth?: number }) {
  const [all, setAll] = useState(false);
  if (typeof value !== 'object' || value === null) return <Leaf value={value} />;
  const entries = Array.isArray(value) ? value.map((one, index): [string, unknown] => [String(index + 1), one]) : Object.entries(value);
  if (entries.length === 0) return <span className="leaf" data-type="empty">{Array.isArray(value) ? 'empty list' : 'empty'}</span>;
  const shown = all ? entries : entries.slice(0, FIRST);
  return (
    <div className="tree">
      {shown.map(([name, one]) => <Branch key={name} name={name} value={one} depth={depth} />)}
      {shown.length < entries.length && <button type="button" className="more" onClick={() => setAll(true)}>Show {entries.length - shown.length} more</button>}
    </div>
  );
}

function Branch({ name, value, depth }: { name: string; value: unknown; depth: number }) {
  const [open, setOpen] = useState(depth < 2);
  const nested = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
  if (!nested) return <div className="branch"><span className="name">{name}</span><Tree value={value} depth={depth + 1} /></div>;
  const size = Object.keys(value).length;
  return (
    <details className="branch-nested" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary><span className="name">{name}</span> <span className="size">{size} {Array.isArray(value) ? (size === 1 ? 'item' : 'items') : (size === 1 ? 'field' : 'fields')}</span></summary>
      {open && <Tree value={value} depth={depth + 1} />}
    </details>
  );
}

function Leaf({ value }: { value: unknown }) {
  if (typeof value === 'string') return <span className="leaf" data-type="text">{value}</span>;
  return <span className="leaf" data-type={value === null ? 'empty' : typeof value}>{value === undefined ? 'nothing' : JSON.stringify(value)}</span>;
}
