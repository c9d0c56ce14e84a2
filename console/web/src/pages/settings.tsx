// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The person's own settings.
import { t } from '../i18n';
import { change, clampFontSize, MAX_FONT_SIZE, MIN_FONT_SIZE, settings } from '../state/settings';
import { Dialog } from '../ui/dialog';
import { Check, Choice, Field } from '../ui/field';

const LANGUAGES = [
  ['en', 'English'],
  ['de', 'Deutsch'],
] as const;

export function SettingsDialog({ onClose }: { onClose(): void }) {
  const { language, theme, fontSize } = settings.value;
  const themes = ['system', 'light', 'dark', 'contrast'] as const;
  const switches = [
    ['screenReader', 'settings.screenReader'],
    ['confirmPaste', 'settings.confirmPaste'],
    ['allowTitle', 'settings.title.allow'],
    ['allowClipboard', 'settings.clipboard.allow'],
  ] as const;
  return (
    <Dialog title={t('settings.title')} onClose={onClose}>
      <Choice
        label={t('settings.language')}
        value={language}
        options={LANGUAGES}
        onChange={(value) => change({ language: value })}
      />
      <Choice
        label={t('settings.theme')}
        value={theme}
        options={themes.map((name) => [name, t(`settings.theme.${name}`)] as const)}
        onChange={(value) => change({ theme: value })}
      />
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
        <button type="button" class="primary" onClick={onClose}>
          {t('common.close')}
        </button>
      </div>
    </Dialog>
  );
}
