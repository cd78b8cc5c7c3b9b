import { Checkbox, NativeSelect, Radio, Stack, Textarea, TextInput } from '@mantine/core';
import { spoken } from '../words.ts';
import { labelOf, valueOf, type UiField } from './form-values.ts';

type Props = { field: UiField; id: string; value: unknown; numbered: boolean; error: string | null; onChange: (value: unknown) => void };

/** One field of the seed's form language; a type that is not known is text. */
export function Field(props: Props) {
  if (props.field.type === 'hidden') return null;
  return <div className="field" data-field={props.field.name}><Control {...props} /></div>;
}

function Control({ field, id, value, numbered, error, onChange }: Props) {
  const label = field.label ?? spoken(field.name);
  const named = { id, label, error, required: field.required === true, withAsterisk: field.required === true };
  const text = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
  switch (field.type) {
    case 'radio':
      return (
        <Radio.Group {...named} value={text} onChange={onChange} size="md">
          <Stack gap={0} className="choices">
            {(field.options ?? []).map((option, index) => <Radio key={valueOf(option)} className="choice" value={valueOf(option)} size="md" label={<>{numbered && index < 9 && <kbd className="key-hint">{index + 1}</kbd>} {worded(option)}</>} />)}
          </Stack>
        </Radio.Group>
      );
    case 'select':
      return <NativeSelect {...named} value={text} onChange={(event) => onChange(event.currentTarget.value)} size="md" data={[{ value: '', label: 'Choose…' }, ...(field.options ?? []).map((option) => ({ value: valueOf(option), label: worded(option) }))]} />;
    case 'checkbox':
      return <Checkbox id={id} className="choice" size="md" label={label + (field.required === true ? ' *' : '')} error={error} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />;
    case 'number':
      return <TextInput {...named} type="text" inputMode="decimal" description={range(field)} value={text} onChange={(event) => onChange(event.currentTarget.value)} />;
    case 'textarea':
      return <Textarea {...named} autosize minRows={2} maxRows={20} value={text} onChange={(event) => onChange(event.currentTarget.value)} />;
    default:
      return <TextInput {...named} value={text} onChange={(event) => onChange(event.currentTarget.value)} />;
  }
}

const worded = (option: NonNullable<UiField['options']>[number]): string => (typeof option === 'string' ? spoken(option) : labelOf(option));

function range({ min, max, step }: UiField): string | undefined {
  const bounds = min !== undefined && max !== undefined ? `${min} to ${max}` : min !== undefined ? `at least ${min}` : max !== undefined ? `at most ${max}` : '';
  return [bounds, step === undefined ? '' : `in steps of ${step}`].filter((part) => part !== '').join(', ') || undefined;
}
