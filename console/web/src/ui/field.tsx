// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Labelled inputs.
import type { JSX } from 'preact';
import { useId } from 'preact/hooks';

type InputProps = Omit<JSX.InputHTMLAttributes<HTMLInputElement>, 'label'> & {
  label: string;
  hint?: string;
};

export function Field({ label, hint, ...input }: InputProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} aria-describedby={hint ? `${id}-hint` : undefined} {...input} />
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

export function Check({ label, ...input }: InputProps) {
  const id = useId();
  return (
    <div class="check">
      <input id={id} type="checkbox" {...input} />
      <label for={id}>{label}</label>
    </div>
  );
}

interface LimitProps {
  label: string;
  // What the box beside the number is called.
  never: string;
  min: number;
  max: number;
  step?: string;
  // Absent for never.
  value: string | undefined;
  // What to begin with when it is no longer never.
  initial: string;
  onChange(value: string | undefined): void;
}

// A number that must be there, or never.
export function Limit({ label, never, value, initial, onChange, ...range }: LimitProps) {
  return (
    <fieldset class="limit">
      <legend class="visually-hidden">{label}</legend>
      <Field
        label={label}
        type="number"
        required
        {...range}
        disabled={value === undefined}
        value={value ?? ''}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      <Check
        label={never}
        checked={value === undefined}
        onChange={(event) => onChange(event.currentTarget.checked ? undefined : initial)}
      />
    </fieldset>
  );
}

export interface ChoiceProps<Value extends string> {
  label: string;
  value: Value;
  options: readonly (readonly [Value, string])[];
  onChange(value: Value): void;
}

export function Choice<Value extends string>({ label, value, options, onChange }: ChoiceProps<Value>) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value as Value)}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}
