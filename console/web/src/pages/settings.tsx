// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The person's own settings.
import { t } from '../i18n';
import { change, clampFontSize, MAX_FONT_SIZE, MIN_FONT_SIZE, settings } from '../state/settings';
import { Dialog, DialogClose } from '../ui/dialog';
import { Check, Choice, Field } from '../ui/field';

const LANGUAGES = [
  ['en', 'English'],
  ['de', 'Deutsch'],
] as const;

const THEMES = ['system', 'light', 'dark', 'contrast'] as const;

// What a person may want to choose before logging in.
export function LookChoices() {
  const { language, theme } = settings.value;
  return (
    <>
      <Choice
        label={t('settings.language')}
        value={language}
        options={LANGUAGES}
        onChange={(value) => change({ language: value })}
      />
      <Choice
        label={t('settings.theme')}
        value={theme}
        options={THEMES.map((name) => [name, t(`settings.theme.${name}`)] as const)}
        onChange={(value) => change({ theme: value })}
      />
    </>
  );
}

export function SettingsDialog({ onClose }: { onClose(): void }) {
  const { fontSize } = settings.value;
  const switches = [
    ['screenReader', 'settings.screenReader'],
    ['confirmPaste', 'settings.confirmPaste'],
    ['allowTitle', 'settings.title.allow'],
    ['allowClipboard', 'settings.clipboard.allow'],
  ] as const;
  return (
    <Dialog title={t('settings.title')} onClose={onClose}>
      <LookChoices />
      <Field
        label={t('settings.fontSize')}
        type="number"
        min={MIN_FONT_SIZE}
        max={MAX_FONT_SIZE}
        value={fontSize}
        onChange={(event) => change({ fontSize: clampFontSize(Number(event.currentTarget.value)) })}
      />
      {switches.map(([name, key]) => (
        <Check
          key={name}
          label={t(key)}
          checked={settings.value[name]}
          onChange={(event) => change({ [name]: event.currentTarget.checked })}
        />
      ))}
      <p class="hint">{t('settings.kept')}</p>
      <div class="buttons">
        <DialogClose primary />
      </div>
    </Dialog>
  );
}
