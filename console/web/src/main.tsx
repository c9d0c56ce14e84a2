// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Where the page begins.
import { render } from 'preact';
import { App } from './app';
import { startRouter } from './router';
import { resumeLogin, startActivity } from './state/app';
import { startSettings } from './state/settings';
import './style.css';

startSettings();
startRouter();
startActivity();
void resumeLogin();
render(<App />, document.getElementById('app')!);
