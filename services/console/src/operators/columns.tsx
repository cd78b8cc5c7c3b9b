import { duration } from '../words.ts';
import { scaleOf } from './scale.ts';

export type Place = { from: Date; to: Date; values: number[] };
type Props = { names: readonly string[]; kinds: readonly string[]; places: Place[]; unit: string };

const TICKS = 4;

/** Columns over time, a group for each place: counts at the left, moments below, the numbers of a place in its title. */
export function Columns({ names, kinds, places, unit }: Props) {
  const { top, parts } = scaleOf(Math.max(1, ...places.flatMap(({ values }) => values)));
  const totals = names.map((name, at) => `${places.reduce((sum, { values }) => sum + values[at]!, 0).toLocaleString()} ${name}`);
  const every = Math.max(1, Math.ceil(places.length / TICKS));
  const span = places.length === 0 ? 0 : places.at(-1)!.to.getTime() - places[0]!.from.getTime();
  return (
    <figure className="columns">
      <figcaption className="legend">{names.map((name, at) => <span key={name} data-kind={kinds[at]}>{name}</span>)}</figcaption>
      <div className="plot" role="img" aria-label={`${totals.join(', ')} in ${duration(span)}; at most ${Math.max(0, ...places.flatMap(({ values }) => values)).toLocaleString()} ${unit}`}>
        <div className="scale" aria-hidden="true">{Array.from({ length: parts + 1 }, (_, at) => <span key={at} style={{ bottom: `${(100 * at) / parts}%` }}>{((top * at) / parts).toLocaleString()}</span>)}</div>
        <div className="places">
          {Array.from({ length: parts }, (_, at) => <span key={at} className="grid-line" style={{ bottom: `${(100 * (at + 1)) / parts}%` }} />)}
          {places.map(({ from, values }, index) => (
            <span key={index} className="place" title={`${shortMoment(from, span)}: ${values.map((value, at) => `${value.toLocaleString()} ${names[at]}`).join(', ')}`}>
              {values.map((value, at) => <span key={at} className="column" data-kind={kinds[at]} style={{ height: `${(100 * value) / top}%` }} />)}
            </span>
          ))}
        </div>
      </div>
      <div className="moments" aria-hidden="true">
        {places.map(({ from }, index) => (index % every === 0 ? <span key={index} style={{ left: `${(100 * index) / places.length}%` }}>{shortMoment(from, span)}</span> : null))}
        <span className="now">now</span>
      </div>
    </figure>
  );
}

const DAY_MS = 86_400_000;

/** The hour within a day, the day beyond. */
const shortMoment = (at: Date, span: number): string => at.toLocaleString(undefined, span > 2 * DAY_MS ? { month: 'short', day: 'numeric' } : { hour: 'numeric', minute: '2-digit' });
