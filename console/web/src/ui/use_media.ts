// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Whether the window is as a media query says.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

export function useMedia(query: string): boolean {
  const matches = useSignal(matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const follow = () => (matches.value = media.matches);
    media.addEventListener('change', follow);
    return () => media.removeEventListener('change', follow);
  }, [query]);
  return matches.value;
}
